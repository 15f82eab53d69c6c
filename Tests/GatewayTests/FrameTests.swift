import Gateway
import TestSupport
import Testing

private func piece(_ random: inout SeededGenerator) -> Frame.Piece {
    let total = Int.random(in: 1...4_096, using: &random)
    let offset = Int.random(in: 0..<total, using: &random)
    return Frame.Piece(
        flow: UInt32(truncatingIfNeeded: random.next()),
        datagram: UInt32(truncatingIfNeeded: random.next()),
        total: total,
        offset: offset,
        bytes: random.bytes(Int.random(in: 1...total - offset, using: &random))
    )
}

@Test func `frames go there and back`() {
    var random = SeededGenerator("frames")
    for _ in 0..<300 {
        let frames: [Frame] = [
            .forward(piece(&random), target: "dns.example:53"),
            .backward(piece(&random), stock: UInt16.random(in: 0...UInt16.max, using: &random)),
            .refill,
            .refused(
                flow: 7,
                Frame.Refusal.allCases.randomElement(using: &random) ?? .flows,
                stock: 3
            ),
        ]
        for frame in frames { #expect(Frame(frame.encoded) == frame) }
    }
}

@Test func `the top three bits of the tag are not ours`() {
    var text = Frame.refill.encoded
    text[0] |= 0xe0
    #expect(Frame(text) == .refill)
    text[0] |= 0x10
    #expect(Frame(text) == nil)
}

@Test func `pieces that lie outside their datagram are refused`() {
    func forward(_ total: Int, _ offset: Int, _ count: Int) -> Frame? {
        let piece = Frame.Piece(
            flow: 1,
            datagram: 1,
            total: total,
            offset: offset,
            bytes: [UInt8](repeating: 1, count: count)
        )
        return Frame(Frame.forward(piece, target: "t:1").encoded)
    }
    #expect(forward(10, 0, 10) != nil)
    #expect(forward(10, 5, 6) == nil)
    #expect(forward(10, 10, 0) == nil)
    #expect(forward(0, 0, 0) != nil)
    #expect(forward(4_096, 4_095, 1) != nil)
    #expect(forward(4_097, 0, 1) == nil)
}

@Test func `garbage never traps`() {
    var random = SeededGenerator("garbage frames")
    for _ in 0..<4_000 {
        var text = random.bytes(Int.random(in: 0..<60, using: &random))
        let head = Frame.refill.encoded
        if Bool.random(using: &random) {
            for index in 0..<min(8, text.count) { text[index] = head[index] }
            if text.count > 8 { text[8] = UInt8.random(in: 0..<6, using: &random) }
        }
        if let frame = Frame(text) { #expect(Frame(frame.encoded) == frame) }
        _ = Frame(Array(text.prefix(Int.random(in: 0...text.count, using: &random))))
    }
}
