//! Counts the bytes of all names and values of a request's headers, and says the sum in a header
//! of the response.
//!
//!     configuration: name of that header, "x-header-bytes" when there is none

mod proxy_wasm;

use proxy_wasm::{add_header, header_pairs, log_error, plugin_configuration, Map, CONTINUE};
use std::cell::RefCell;
use std::collections::HashMap;

#[derive(Default)]
struct Reader {
    header_name: String,
    /// Sum of the streams whose request headers have been read.
    header_bytes: HashMap<u32, usize>,
}

thread_local! {
    static READER: RefCell<Reader> = RefCell::new(Reader::default());
}

#[no_mangle]
pub extern "C" fn proxy_on_configure(_root: u32, size: usize) -> u32 {
    let configured = plugin_configuration(size).map(String::from_utf8);
    READER.with(|reader| {
        reader.borrow_mut().header_name = match configured {
            Some(Ok(name)) if !name.is_empty() => name,
            _ => "x-header-bytes".to_string(),
        }
    });
    1
}

#[no_mangle]
pub extern "C" fn proxy_on_request_headers(stream: u32, _count: u32, _end: u32) -> u32 {
    match header_pairs(Map::Request) {
        Some(pairs) => {
            let sum = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
            READER.with(|reader| reader.borrow_mut().header_bytes.insert(stream, sum));
        }
        None => log_error("Cannot read the request's headers"),
    }
    CONTINUE
}

#[no_mangle]
pub extern "C" fn proxy_on_response_headers(stream: u32, _count: u32, _end: u32) -> u32 {
    READER.with(|reader| {
        let reader = reader.borrow();
        if let Some(sum) = reader.header_bytes.get(&stream) {
            add_header(Map::Response, &reader.header_name, &sum.to_string());
        }
    });
    CONTINUE
}

#[no_mangle]
pub extern "C" fn proxy_on_delete(stream: u32) {
    READER.with(|reader| reader.borrow_mut().header_bytes.remove(&stream));
}
