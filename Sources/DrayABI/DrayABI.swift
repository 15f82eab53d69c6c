// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Crypto

@c @implementation
public func dray_abi_version() -> UInt32 { UInt32(DRAY_ABI_VERSION) }

@c @implementation
public func dray_strerror(_ status: dray_status) -> UnsafePointer<CChar>! {
    unsafe text(message(status))
}

@c @implementation
public func dray_drop_name(_ code: UInt32) -> UnsafePointer<CChar>! {
    guard code < dropCount else { return nil }
    return unsafe text(dropName(Drop(index: UInt8(code))))
}

@c @implementation
public func dray_kernels_name() -> UnsafePointer<CChar>! { unsafe Kernels.tableName }

private func message(_ status: dray_status) -> StaticString {
    switch status {
    case DRAY_ERROR_NULL: "a pointer that must not be NULL is"
    case DRAY_ERROR_ALIGN: "memory is not on a 64-byte boundary"
    case DRAY_ERROR_SIZE: "memory, stride or buffer is too small"
    case DRAY_ERROR_RANGE: "a number is out of its range"
    case DRAY_ERROR_STATE: "no context, or its identity or tables have not been set"
    case DRAY_ERROR_KEY: "a key is no key"
    case DRAY_ERROR_NODE: "no such node in the table"
    case DRAY_ERROR_BUSY: "another thread is inside the context"
    case DRAY_ERROR_FULL: "no room in a table"
    case DRAY_ERROR_REPLAY: "the replay memory holds something else"
    default: status >= 0 ? "done" : "unknown status"
    }
}

// String literals end with a zero byte and live as long as the library.
private func text(_ literal: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}
