import Bytes
import Link

/// Plaintexts from three hostile neighbours: options, then for each datagram the link, the counter,
/// a size, and what stands at its beginning and end, each behind its length.
///
/// Frames lie where they may, nobody has more than there is, and an honest neighbour that has no
/// more than its part gets its frames whole. With option bit 0 time goes on, and all that waits is
/// given up in the end.
func fuzzFrames(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let bench = FrameBench(hasTime: input.byte() & 1 == 1)
    bench.honest(piece: 0)
    for _ in 0..<64 where !input.rest.isEmpty {
        let choice = input.byte()
        let counter = UInt64(input.byte())
        let size = Int(input.byte())
        // With bit 7 far too short or too long.
        let isOdd = choice & 128 != 0
        var plain = [UInt8](repeating: 0, count: isOdd ? 300 * size : 1_200 + size)
        let head = input.bytes(Int(input.byte()))
        let tail = input.bytes(Int(input.byte()))
        plain.replaceSubrange(0..<min(head.count, plain.count), with: head.prefix(plain.count))
        let end = min(tail.count, plain.count)
        plain.replaceSubrange(plain.count - end..<plain.count, with: tail.suffix(end))
        _ = bench.feed(
            plain,
            link: 1 + UInt32(choice & 3) % 3,
            session: UInt32(choice >> 2 & 1),
            counter: counter
        )
    }
    bench.honest(piece: 1)
    bench.finish()
}

/// A reader with an honest neighbour, link 0, in the middle of four packets.
private final class FrameBench {
    private static let packetBytes = 1_461
    private let memory: Memory
    private var reader: FrameReader
    private let hasTime: Bool
    private var nowNanos: UInt64 = 0

    init(hasTime: Bool) {
        self.hasTime = hasTime
        var limits = FrameLimits(packetBytes: FrameBench.packetBytes)
        limits.assemblies = 16
        limits.perLink = 6
        limits.lifeNanos = 1_000
        memory = Memory(FrameReader.byteCount(for: limits))
        reader = FrameReader(memory.region, limits: limits)
        reader.clear(hash: KeyedHash(1, 2))
    }

    /// Takes a datagram; returns the bodies of its frames.
    func feed(_ plain: [UInt8], link: UInt32, session: UInt32, counter: UInt64) -> [[UInt8]] {
        nowNanos += hasTime ? 100 : 0
        var plain = plain
        return plain.withRegion { plain in
            reader.begin(plain, session: session, link: link, counter: counter, nowNanos: nowNanos)
            var bodies: [[UInt8]] = []
            while let frame = reader.next() {
                let isIn = contains(plain, frame.body) || contains(memory.region, frame.body)
                precondition(isIn, "a frame lies outside")
                let count = frame.body.byteCount
                switch frame.type {
                case .packet: precondition(count == FrameBench.packetBytes)
                case .ping, .pong: precondition((8...64).contains(count))
                case .acknowledgements, .paymentTerms, .locks, .secrets, .promises, .logSegment:
                    precondition(count <= 4_096)
                }
                bodies.append(frame.body.array)
            }
            precondition(reader.waiting <= 16, "more frames than there is memory for")
            precondition(reader.verdict == .none || reader.take(.frameInvalid) == 1)
            return bodies
        }
    }

    /// Half of each of the honest neighbour's packets; the second half makes them whole.
    func honest(piece: Int) {
        guard !hasTime else { return }
        for number in 0..<4 {
            let body = [UInt8](repeating: UInt8(number + 1), count: FrameBench.packetBytes)
            let frame = [1, UInt8(body.count & 255), UInt8(body.count >> 8)] + body
            let (first, rest) = (frame.prefix(1_196), frame.dropFirst(1_196))
            var plain =
                piece == 0 ? [0, 0, 0, 0] + first : [UInt8(rest.count & 255), 1, 1, 0] + rest
            plain += [UInt8](repeating: 0, count: 1_200 - plain.count)
            let counter = UInt64(2 * number + piece)
            let found = feed(plain, link: 0, session: 0, counter: counter)
            precondition(found == (piece == 0 ? [] : [body]), "an honest neighbour lost a frame")
        }
    }

    func finish() {
        let lost = reader.take(.frameLost)
        let left = UInt64(reader.waiting)
        reader.expire(nowNanos: nowNanos + 1_000)
        precondition(reader.waiting == 0 && reader.take(.frameLost) == left)
        precondition(lost < 1_000)
    }

    private func contains(_ outer: Region, _ inner: Region) -> Bool {
        inner.address >= outer.address
            && inner.address + UInt64(inner.byteCount) <= outer.address + UInt64(outer.byteCount)
    }
}
