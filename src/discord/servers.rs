//! The servers that we are in, as the shards tell it.

use std::collections::{BTreeMap, HashMap, HashSet};

/// How many threads are remembered with the channel that they belong to.
const THREADS: usize = 50_000;

/// The servers that we are in.
#[derive(Debug, Default)]
pub struct Servers {
    /// How many shards there are.
    total: u32,
    /// What each said when it was ready.
    ready: BTreeMap<u32, Vec<u64>>,
    /// Those that are known by now.
    here: HashSet<u64>,
    /// Those of them that are not available for a while.
    away: HashSet<u64>,
    /// Threads, and the channels that they belong to.
    threads: HashMap<u64, u64>,
}

impl Servers {
    /// A shard is ready, and has these servers; all servers, once every shard has said its own.
    pub fn ready(&mut self, shard: u32, total: u32, servers: Vec<u64>) -> Option<Vec<u64>> {
        let total = total.max(1);
        if total != self.total {
            *self = Servers { total, ..Servers::default() };
        }
        // What it had before and does not name any more was left while it was away.
        self.here.retain(|server| shard_of(*server, total) != shard);
        self.here.extend(&servers);
        self.ready.insert(shard, servers);
        (self.ready.len() == total as usize).then(|| {
            let mut all: Vec<u64> = self.here.iter().copied().collect();
            all.sort_unstable();
            all
        })
    }

    /// A server is there; whether we were let in just now. Before its shard is ready nobody can say so.
    pub fn joined(&mut self, server: u64) -> bool {
        let known = self.ready.contains_key(&shard_of(server, self.total));
        self.here.insert(server) && known
    }

    /// We are not in a server any more.
    pub fn left(&mut self, server: u64) {
        self.here.remove(&server);
        self.away.remove(&server);
    }

    /// A server is not available for a while.
    pub fn away(&mut self, server: u64) {
        if self.here.contains(&server) {
            self.away.insert(server);
        }
    }

    /// A server is there; whether it was not available for a while.
    pub fn back(&mut self, server: u64) -> bool {
        self.away.remove(&server)
    }

    /// Remembers threads, each with the channel that it belongs to.
    pub fn threads(&mut self, threads: impl IntoIterator<Item = (u64, u64)>) {
        for (thread, channel) in threads {
            if self.threads.len() < THREADS || self.threads.contains_key(&thread) {
                self.threads.insert(thread, channel);
            }
        }
    }

    /// A thread, or a channel, is gone.
    pub fn forget_thread(&mut self, gone: u64) {
        self.threads.retain(|thread, channel| *thread != gone && *channel != gone);
    }

    /// The threads of a channel that are known.
    pub fn threads_of(&self, channel: u64) -> Vec<u64> {
        self.threads.iter().filter(|(_, of)| **of == channel).map(|(thread, _)| *thread).collect()
    }
}

/// The shard that a server is on.
fn shard_of(server: u64, total: u32) -> u32 {
    u32::try_from((server >> 22) % u64::from(total.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_and_threads_are_remembered() {
        let mut servers = Servers::default();
        servers.ready(0, 1, vec![5]);
        servers.away(6);
        servers.away(5);
        assert_eq!((servers.back(6), servers.back(5), servers.back(5)), (false, true, false));
        servers.threads([(10, 1), (11, 1), (12, 2)]);
        let of = |servers: &Servers, channel| {
            let mut threads = servers.threads_of(channel);
            threads.sort_unstable();
            threads
        };
        assert_eq!((of(&servers, 1), of(&servers, 2)), (vec![10, 11], vec![12]));
        servers.forget_thread(11);
        servers.forget_thread(2);
        assert_eq!((of(&servers, 1), of(&servers, 2)), (vec![10], vec![]));
    }

    #[test]
    fn all_servers_are_known_once_every_shard_is_ready() {
        let (even, odd, new) = (2 << 22, 3 << 22, 4 << 22);
        let mut servers = Servers::default();
        assert!(!servers.joined(odd), "its shard has not said yet what it has");
        assert_eq!(servers.ready(0, 2, vec![even]), None);
        assert!(!servers.joined(even) && servers.joined(new));
        assert_eq!(servers.ready(1, 2, vec![odd]), Some(vec![even, odd, new]));
        servers.left(new);
        assert!(servers.joined(new) && !servers.joined(new));
        assert_eq!(servers.ready(0, 2, vec![even]), Some(vec![even, odd]), "it was left while the shard was away");
        assert_eq!(servers.ready(0, 1, vec![even]), Some(vec![even]), "with another number of shards all begins anew");
    }
}
