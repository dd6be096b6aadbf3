//! What these guests use of the Proxy-Wasm ABI 0.2.1.

/// Which headers.
#[derive(Clone, Copy)]
pub enum Map {
    Request = 0,
    Response = 2,
}

pub const CONTINUE: u32 = 0;
const OK: u32 = 0;
const PLUGIN_CONFIGURATION: u32 = 7;
const LOG_ERROR: u32 = 4;

mod host {
    #[link(wasm_import_module = "env")]
    extern "C" {
        pub fn proxy_log(level: u32, message: *const u8, length: usize) -> u32;
        pub fn proxy_get_buffer_bytes(
            buffer: u32,
            start: usize,
            max: usize,
            bytes: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub fn proxy_get_header_map_pairs(
            map: u32,
            pairs: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub fn proxy_add_header_map_value(
            map: u32,
            name: *const u8,
            name_length: usize,
            value: *const u8,
            value_length: usize,
        ) -> u32;
    }
}

#[no_mangle]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// The host fills the block and hands it back by the out-pointers of the call that needed it.
#[no_mangle]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut block = std::mem::ManuallyDrop::new(Vec::<u8>::with_capacity(size));
    block.as_mut_ptr()
}

/// Takes over what the host has written into a block of proxy_on_memory_allocate.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut bytes = std::ptr::null_mut();
    let mut length = 0;
    if call(&mut bytes, &mut length) != OK {
        return None;
    }
    if bytes.is_null() {
        return Some(Vec::new());
    }
    // The host asks for exactly as many bytes as it hands over.
    Some(unsafe { Vec::from_raw_parts(bytes, length, length) })
}

pub fn log_error(message: &str) {
    unsafe { host::proxy_log(LOG_ERROR, message.as_ptr(), message.len()) };
}

pub fn plugin_configuration(size: usize) -> Option<Vec<u8>> {
    taken(|bytes, length| unsafe {
        host::proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, bytes, length)
    })
}

pub fn add_header(map: Map, name: &str, value: &str) {
    unsafe {
        host::proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Names and values; None when the host refuses or what it hands over is cut short.
#[allow(dead_code)] // Each guest uses a part of this file.
pub fn header_pairs(map: Map) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let bytes = taken(|pairs, length| unsafe {
        host::proxy_get_header_map_pairs(map as u32, pairs, length)
    })?;
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let number = |at: usize| -> Option<usize> {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four) as usize)
    };
    let count = number(0)?;
    let mut at = 4 + 8 * count;
    let mut text = |length: usize| -> Option<Vec<u8>> {
        let found = bytes.get(at..at + length)?.to_vec();
        at += length + 1;
        Some(found)
    };
    (0..count)
        .map(|index| Some((text(number(4 + 8 * index)?)?, text(number(8 + 8 * index)?)?)))
        .collect()
}
