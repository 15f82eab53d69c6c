import Harness
import Tickets

#if DRAY_JEMALLOC
import CJemalloc

/// Where jemalloc counts the bytes that this thread has ever allocated; reading it allocates
/// nothing.
private func allocationCounter() -> UnsafePointer<UInt64> {
    var counter: UnsafePointer<UInt64>?
    var size = unsafe MemoryLayout<UnsafePointer<UInt64>?>.size
    let status = unsafe mallctl("thread.allocatedp", &counter, &size, nil, 0)
    guard status == 0, let counter = unsafe counter else { fatalError("jemalloc counts nothing") }
    return unsafe counter
}

/// Bytes that relaying allocates per packet after warm-up; must be 0.
///
/// Forwarding, acknowledgements made and taken, and the packets these travel in. nil if the program
/// is not linked with jemalloc.
func allocatedPerPacket() -> Double? {
    let counter = unsafe allocationCounter()
    let relay = RelayBench(Network(), batches: 5)
    let batches = 16
    var sum: UInt64 = 0
    for _ in 0..<2 { sum &+= relay.whole(64, .commitment) &+ relay.carried() }
    let before = unsafe counter.pointee
    for _ in 0..<batches { sum &+= relay.whole(64, .commitment) &+ relay.carried() }
    let spent = unsafe counter.pointee - before

    // One array must be seen, or the check proves nothing.
    let start = unsafe counter.pointee
    let moved = withExtendedLifetime([UInt64](repeating: sum, count: batches + 512)) {
        unsafe counter.pointee > start
    }
    precondition(moved, "the allocation counter stands still")
    return Double(spent) / Double(batches * 64 * 6)
}
#else
func allocatedPerPacket() -> Double? { nil }
#endif
