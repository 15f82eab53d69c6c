import Bytes
import TestSupport

@testable import Link

/// A frame as a test means it.
struct TestFrame: Hashable {
    var type: UInt8
    var body: [UInt8]

    static func packet(_ body: [UInt8]) -> TestFrame { TestFrame(type: 1, body: body) }

    var isKnown: Bool { FrameType(number: type) != nil }
    var bytes: [UInt8] {
        [type, UInt8(body.count & 255), UInt8(body.count >> 8)] + body
    }
}

/// The plaintext of one datagram, and which frames have bytes in it.
struct TestDatagram {
    struct Piece: Hashable {
        /// Frame of the train, in order.
        var frame: Int
        /// Datagrams since the one it begins in.
        var index: Int
        /// Datagrams it lies in.
        var count: Int
    }

    var plain: [UInt8]
    var pieces: [Piece] = []
}

/// Writes a train as the description of the wire has it, byte by byte.
func referenceTrain(_ frames: [TestFrame], plainBytes: Int) -> [TestDatagram] {
    var train: [TestDatagram] = []
    for (number, frame) in frames.enumerated() {
        if (train.last.map { plainBytes - $0.plain.count } ?? 0) < 4 {
            train.append(TestDatagram(plain: [0, 0, 0, 0]))
        }
        let first = train.count - 1
        var left = frame.bytes[...]
        while true {
            let here = left.prefix(plainBytes - train[train.count - 1].plain.count)
            train[train.count - 1].plain += here
            let piece = TestDatagram.Piece(frame: number, index: train.count - 1 - first, count: 0)
            train[train.count - 1].pieces.append(piece)
            left = left.dropFirst(here.count)
            if left.isEmpty { break }
            let head = [left.count & 255, left.count >> 8, train.count - first, 0]
            train.append(TestDatagram(plain: head.map { UInt8($0) }))
        }
        for index in first..<train.count {
            train[index].pieces[train[index].pieces.count - 1].count = train.count - first
        }
    }
    return train.map { datagram in
        var datagram = datagram
        let rest = plainBytes - datagram.plain.count
        datagram.plain += [UInt8](repeating: 0, count: rest)
        return datagram
    }
}

/// A reader with its memory, which speaks in arrays.
final class TestReader {
    private let memory: Memory
    private(set) var reader: FrameReader
    private let limits: FrameLimits

    init(_ limits: FrameLimits, hash: KeyedHash = KeyedHash(1, 2)) {
        self.limits = limits
        memory = Memory(FrameReader.byteCount(for: limits))
        reader = FrameReader(memory.region, limits: limits)
        reader.clear(hash: hash)
    }

    /// Another reader that goes on where this one is.
    func copy() -> TestReader {
        let other = TestReader(limits, hash: KeyedHash(3, 4))
        other.memory.region.copy(memory.region, to: 0)
        return other
    }

    /// Feeds a datagram; the frames that it hands out, asked for until there are `atMost`, and read
    /// when all are there.
    @discardableResult
    func feed(
        _ plain: [UInt8],
        counter: UInt64,
        session: UInt32 = 1,
        link: UInt32 = 1,
        now: UInt64 = 0,
        atMost: Int = .max
    ) -> [TestFrame] {
        var plain = plain
        return plain.withRegion { plain in
            reader.begin(plain, session: session, link: link, counter: counter, nowNanos: now)
            var frames: [Frame] = []
            while frames.count < atMost, let frame = reader.next() { frames.append(frame) }
            return frames.map { TestFrame(type: $0.type.number, body: $0.body.array) }
        }
    }

    var counts: [UInt64] {
        [reader.take(.frameLost), reader.take(.frameInvalid), reader.take(.frameUnknown)]
    }
}

extension SeededGenerator {
    /// A frame of any type with a body of a length it may have; most are packets.
    mutating func frame(packetBytes: Int) -> TestFrame {
        let type: UInt8 =
            switch Int.random(in: 0..<10, using: &self) {
            case 0: UInt8.random(in: 2...4, using: &self)
            case 1: UInt8.random(in: 16...20, using: &self)
            case 2: UInt8.random(in: 21...255, using: &self)
            default: 1
            }
        let longest = Bool.random(using: &self) ? 4_096 : 60
        let count =
            switch type {
            case 1: packetBytes
            case 3, 4: Int.random(in: 8...64, using: &self)
            default: Int.random(in: 0...longest, using: &self)
            }
        return TestFrame(type: type, body: bytes(count))
    }
}
