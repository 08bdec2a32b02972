#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| strillone_fuzz::holds::presses(data));
