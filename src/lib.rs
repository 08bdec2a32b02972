//! Strillone: keeps the public record of an incident, and cries every update where people chat.
//!
//! The rooms of the program; ARCHITECTURE.md says who may know whom.
#![warn(missing_docs)]

pub mod alarms;
pub mod alerts;
pub mod backups;
pub mod bundled;
pub mod cli;
pub mod config;
pub mod console;
pub mod control;
pub mod desk;
pub mod discord;
pub mod dispatch;
pub mod post;
pub mod rates;
pub mod reminders;
pub mod serve;
pub mod signs;
pub mod telegram;
pub mod transport;
pub mod vitals;
pub mod watchman;
pub mod web;
