import Bytes
import Crypto

/// Memory of one field of a batch: 64 entries, `stride` bytes apart, with a pattern between and in
/// them that shows what was written.
final class LaneBuffer {
    let width: Int
    let stride: Int
    private let memory: Memory
    /// Slots in a shuffled order, to be used as a field of packets; nil for a column.
    let slots: [64 of UInt32]?

    init(width: Int, gap: Int = 0, slots: [64 of UInt32]? = nil) {
        self.width = width
        self.slots = slots
        stride = width + gap
        memory = Memory(stride * 64)
        memory.region.fill(LaneBuffer.pattern)
    }

    static let pattern: UInt8 = 0xa5

    var lanes: Lanes {
        guard let slots else { return Lanes(memory.region, stride: stride) }
        return Lanes(Slab(region: memory.region, stride: stride), slots: slots, offset: 0)
    }

    private func offset(_ lane: Int) -> Int { stride * (slots.map { Int($0[lane]) } ?? lane) }

    subscript(lane: Int) -> [UInt8] {
        get { memory.region.slice(offset(lane), width).array }
        set { memory.region.store(bytes: newValue, offset(lane)) }
    }

    /// Everything, gaps included.
    var bytes: [UInt8] { memory.region.array }

    /// True if nothing but the given lanes was ever written.
    func isPattern(except live: LaneMask) -> Bool {
        var kept = bytes
        for lane in 0..<64 where live.contains(lane) {
            let start = offset(lane)
            kept.replaceSubrange(
                start..<start + width,
                with: [UInt8](repeating: LaneBuffer.pattern, count: width)
            )
        }
        return kept.allSatisfy { $0 == LaneBuffer.pattern }
    }
}

/// A permutation of the slots 0..<64.
func shuffledSlots(_ generator: inout some RandomNumberGenerator) -> [64 of UInt32] {
    let order = (0..<64).map { UInt32($0) }.shuffled(using: &generator)
    var slots = [64 of UInt32](repeating: 0)
    for lane in 0..<64 { slots[lane] = order[lane] }
    return slots
}

/// Runs a kernel on one lane: inputs in, one output out.
func single(
    _ inputs: [[UInt8]],
    width: Int,
    _ body: ([Lanes], Lanes) -> Void
) -> [UInt8] {
    let buffers = inputs.map { input in
        let buffer = LaneBuffer(width: max(1, input.count))
        if !input.isEmpty { buffer[0] = input }
        return buffer
    }
    let out = LaneBuffer(width: width)
    withExtendedLifetime(buffers) { body(buffers.map(\.lanes), out.lanes) }
    return out[0]
}
