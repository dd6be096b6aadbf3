use proxy_wasm::traits::{Context, HttpContext};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lets everything pass: this filter lives in its root context.
pub struct Hello;

impl Context for Hello {}
impl HttpContext for Hello {}

/// The clock and the randomness are WASI's, as any crate would get at them.
pub fn tick_line() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let number = RandomState::new().hash_one(0);
    format!("It is {} now, and the number is {}", now.as_secs(), number % 1_000_000)
}
