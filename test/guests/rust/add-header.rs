//! Adds "x-guest: rust" to responses, and to requests the header that the configuration says.
//!
//!     configuration: NAME ":" VALUE, blanks around both are left out

mod proxy_wasm;

use proxy_wasm::{add_header, log_error, plugin_configuration, Map, CONTINUE};
use std::cell::RefCell;

struct Header {
    name: String,
    value: String,
}

thread_local! {
    static REQUEST_HEADER: RefCell<Option<Header>> = RefCell::new(None);
}

fn read_header(configuration: Vec<u8>) -> Option<Header> {
    let text = String::from_utf8(configuration).ok()?;
    let (name, value) = text.split_once(':')?;
    let name = name.trim().to_string();
    let value = value.trim().to_string();
    (!name.is_empty()).then(|| Header { name, value })
}

#[no_mangle]
pub extern "C" fn proxy_on_configure(_root: u32, size: usize) -> u32 {
    let header = plugin_configuration(size).and_then(read_header);
    if header.is_none() {
        log_error("Cannot read the configuration: it is not NAME: VALUE");
        return 0;
    }
    REQUEST_HEADER.with(|kept| *kept.borrow_mut() = header);
    1
}

#[no_mangle]
pub extern "C" fn proxy_on_request_headers(_stream: u32, _count: u32, _end: u32) -> u32 {
    REQUEST_HEADER.with(|kept| {
        if let Some(header) = &*kept.borrow() {
            add_header(Map::Request, &header.name, &header.value);
        }
    });
    CONTINUE
}

#[no_mangle]
pub extern "C" fn proxy_on_response_headers(_stream: u32, _count: u32, _end: u32) -> u32 {
    add_header(Map::Response, "x-guest", "rust");
    CONTINUE
}
