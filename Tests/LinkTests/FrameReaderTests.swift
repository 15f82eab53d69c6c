import Bytes
import TestSupport
import Testing

@testable import Link

@Suite struct FrameReaderTests {
    private static let each = 1_416
    private let body = (0..<1_461).map { UInt8(truncatingIfNeeded: 3 * $0) }

    private func reader(life: UInt64 = 1_000, packetBytes: Int = 1_461) -> TestReader {
        var limits = FrameLimits(packetBytes: packetBytes)
        limits.assemblies = 16
        limits.perLink = 8
        limits.lifeNanos = life
        return TestReader(limits)
    }

    /// Plaintext of 1,420 bytes: head, then anything.
    private func plain(_ left: Int, _ back: UInt8, _ zero: UInt8, _ frames: [UInt8]) -> [UInt8] {
        let head = [UInt8(left & 255), UInt8(left >> 8), back, zero]
        return head + frames + [UInt8](repeating: 0, count: FrameReaderTests.each - frames.count)
    }

    /// A packet in two datagrams, with a ping behind it and one before it.
    private func two() -> [[UInt8]] {
        let ping = TestFrame(type: 3, body: [UInt8](repeating: 5, count: 8))
        return referenceTrain([ping, .packet(body), ping], plainBytes: 1_420).map(\.plain)
    }

    // MARK: What is taken

    @Test(arguments: FrameType.allCases)
    func `the longest frame of each type is taken, and one more byte is not`(type: FrameType) {
        let (least, most) =
            switch type {
            case .packet: (1_461, 1_461)
            case .ping, .pong: (8, 64)
            default: (0, 4_096)
            }
        let end = TestFrame(type: 3, body: [UInt8](repeating: 5, count: 8))
        for count in [least - 1, least, most, most + 1] where count >= 0 {
            let frame = TestFrame(type: type.number, body: [UInt8](repeating: 9, count: count))
            let reader = reader()
            let train = referenceTrain([end, frame, end], plainBytes: 9_000)
            let found = reader.feed(train[0].plain, counter: 0)
            let isTaken = count >= least && count <= most
            #expect(found == (isTaken ? [end, frame, end] : [end]))
            #expect(reader.reader.verdict == (isTaken ? .none : .frameInvalid))
            #expect(reader.counts == [0, isTaken ? 0 : 1, 0])
        }
    }

    @Test func `numbers of types are those of the wire`() {
        let known: [UInt8] = [1, 2, 3, 4, 16, 17, 18, 19, 20]
        #expect(FrameType.allCases.map(\.number) == known)
        for number in UInt8.min ... .max {
            #expect(FrameType(number: number)?.number == (known.contains(number) ? number : nil))
        }
    }

    @Test func `a frame of an unknown type is skipped, in one datagram or over several`() {
        for bodyBytes in [0, 1, 500, 4_096] {
            let ping = TestFrame(type: 3, body: [UInt8](repeating: 5, count: 8))
            let strange = TestFrame(type: 77, body: [UInt8](repeating: 6, count: bodyBytes))
            let reader = reader()
            var found: [TestFrame] = []
            let train = referenceTrain([ping, strange, ping], plainBytes: 1_420)
            for (counter, datagram) in train.enumerated().reversed() {
                found += reader.feed(datagram.plain, counter: UInt64(counter))
            }
            #expect(found == [ping, ping] && reader.reader.waiting == 0)
            #expect(reader.counts == [0, 0, 1])
            #expect(reader.counts == [0, 0, 0])
        }
        let reader = reader()
        let long = TestFrame(type: 77, body: [UInt8](repeating: 6, count: 4_097))
        #expect(reader.feed(referenceTrain([long], plainBytes: 9_000)[0].plain, counter: 0) == [])
        #expect(reader.counts == [0, 1, 0])
    }

    @Test func `padding ends a datagram, and so do three bytes`() {
        let ping: [UInt8] = [3, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let reader = reader()
        #expect(reader.feed(plain(0, 0, 0, ping + [0, 9, 9] + ping), counter: 0).count == 1)
        let filler: [UInt8] = [16, 0x77, 0x05] + [UInt8](repeating: 7, count: 0x577)
        let end: [UInt8] = [99, 0xff, 0xff]
        let full = plain(0, 0, 0, filler + ping + end)
        #expect(full.count == 1_420)
        #expect(reader.feed(full, counter: 1).count == 2)
        #expect(reader.counts == [0, 0, 0])
    }

    @Test func `a frame is put together whichever piece comes first`() {
        for order in [[0, 1], [1, 0]] {
            let reader = reader()
            let train = two()
            var found: [[TestFrame]] = []
            for index in order {
                found.append(reader.feed(train[index], counter: 70 + UInt64(index)))
            }
            #expect(found[0].map(\.type) == [3])
            #expect(found[1].map(\.type).sorted() == [1, 3])
            #expect(found.joined().contains(.packet(body)))
            #expect(reader.reader.waiting == 0 && reader.counts == [0, 0, 0])
        }
    }

    @Test func `two frames put together by one datagram stay valid beside each other`() {
        let other = TestFrame.packet(body.reversed())
        let train = referenceTrain([.packet(body), other], plainBytes: 1_420).map(\.plain)
        #expect(train.count == 3)
        let reader = reader()
        #expect(reader.feed(train[2], counter: 2) == [])
        #expect(reader.feed(train[0], counter: 0) == [])
        #expect(reader.feed(train[1], counter: 1) == [.packet(body), other])
    }

    @Test func `a datagram that is left early leaves nothing for the next`() {
        let train = two()
        let reader = reader()
        reader.feed(train[0], counter: 0)
        #expect(reader.feed(train[1], counter: 1, atMost: 0) == [])
        #expect(reader.feed(train[1], counter: 21).map(\.type) == [3])
    }

    @Test func `a datagram that is lost costs only the frames with bytes in it`() {
        let frames = (0..<20).map { TestFrame.packet([UInt8](repeating: $0, count: 1_461)) }
        let train = referenceTrain(frames, plainBytes: 1_420)
        for lost in train.indices {
            let reader = reader()
            var found: [TestFrame] = []
            for index in train.indices where index != lost {
                found += reader.feed(train[index].plain, counter: UInt64(index))
            }
            let hit = Set(train[lost].pieces.map(\.frame))
            #expect(found == frames.indices.filter { !hit.contains($0) }.map { frames[$0] })
            #expect(reader.reader.waiting == hit.count)
            reader.reader.expire(nowNanos: 1_000)
            #expect(reader.counts == [UInt64(hit.count), 0, 0])
        }
    }

    @Test func `pieces are waited for as long as the limit says and no longer`() {
        let train = two()
        for (age, isTaken) in [(UInt64(999), true), (1_000, false)] {
            let reader = reader()
            reader.feed(train[0], counter: 0, now: 5)
            let found = reader.feed(train[1], counter: 1, now: 5 + age)
            #expect(found.map(\.type) == (isTaken ? [1, 3] : [3]))
            // What came too late waits for what is gone.
            #expect(reader.reader.waiting == (isTaken ? 0 : 1))
            #expect(reader.counts == [isTaken ? 0 : 1, 0, 0])
        }
        let reader = reader()
        reader.feed(train[0], counter: 0, now: 5)
        // A clock that steps back ends nothing.
        #expect(reader.feed(train[1], counter: 1, now: 0).map(\.type) == [1, 3])
    }

    @Test func `a frame that is over is not completed while others are given up first`() {
        let train = two()
        let reader = reader()
        for counter in 0..<8 { reader.feed(train[0], counter: UInt64(2 * counter), now: 0) }
        // Three are given up for a datagram, this one is the sixth.
        #expect(reader.feed(train[1], counter: 11, now: 1_000).map(\.type) == [3])
        #expect(reader.counts == [4, 0, 0] && reader.reader.waiting == 5)
        reader.reader.expire(nowNanos: 1_000)
        #expect(reader.counts == [4, 0, 0] && reader.reader.waiting == 1)
    }

    @Test func `sessions and links are told apart`() {
        let train = two()
        for (session, link) in [(UInt32(2), UInt32(1)), (1, 2)] {
            let reader = reader()
            reader.feed(train[0], counter: 0, session: 1, link: 1)
            let found = reader.feed(train[1], counter: 1, session: session, link: link)
            #expect(found.map(\.type) == [3] && reader.reader.waiting == 2)
        }
    }

    @Test func `what is there is not written again`() {
        let train = two()
        var forged = train[0]
        for index in 100..<1_420 { forged[index] ^= 0xff }
        let reader = reader()
        reader.feed(train[0], counter: 0)
        reader.feed(forged, counter: 0)
        #expect(reader.feed(train[1], counter: 1).first == .packet(body))
        // A frame that was handed out is forgotten: its pieces begin another.
        reader.feed(train[1], counter: 1)
        #expect(reader.reader.waiting == 1 && reader.counts == [0, 0, 0])
    }

    @Test func `a copy of the memory goes on where the first stopped`() {
        let train = two()
        let first = reader()
        first.feed(train[0], counter: 0)
        let second = first.copy()
        #expect(second.feed(train[1], counter: 1).map(\.type) == [1, 3])
    }

    // MARK: What is not

    @Test func `a head that breaks a rule costs the datagram, and nothing else changes`() {
        let ping: [UInt8] = [3, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let most = 4_099 - 4
        let bad: [(String, [UInt8], UInt64)] = [
            ("zero byte", plain(0, 0, 1, ping), 9),
            ("left without back", plain(1, 0, 0, [7] + ping), 9),
            ("back without left", plain(0, 1, 0, ping), 9),
            ("begins before the first datagram", plain(1, 2, 0, [7] + ping), 1),
            ("further back than any frame", plain(1, 255, 0, [7] + ping), 1_000),
            ("longer than any frame", plain(most + 1, 1, 0, []), 9),
            ("longer than any frame by its way", plain(most - 1_416 + 1, 2, 0, []), 9),
            ("short", Array(plain(0, 0, 0, ping).prefix(1_199)), 9),
            ("nothing", [], 9),
            ("long", plain(0, 0, 0, ping) + [UInt8](repeating: 0, count: 63_549), 9),
        ]
        for (name, plain, counter) in bad {
            let reader = reader()
            #expect(reader.feed(plain, counter: counter) == [], "\(name)")
            #expect(reader.reader.verdict == .frameInvalid, "\(name)")
            #expect(reader.counts == [0, 1, 0] && reader.reader.waiting == 0, "\(name)")
        }
        let good: [([UInt8], UInt64)] = [
            (plain(0, 0, 0, ping), 0),
            (plain(1, 2, 0, [7] + ping), 2),
            (Array(plain(0, 0, 0, ping).prefix(1_200)), 9),
            (plain(0, 0, 0, ping) + [UInt8](repeating: 0, count: 63_548), 9),
        ]
        for (plain, counter) in good {
            let reader = reader()
            #expect(reader.feed(plain, counter: counter).count == 1 && reader.counts[1] == 0)
        }
        // The longest rest there can be, and the furthest.
        let reader = reader(packetBytes: 65_532)
        reader.feed(plain(most, 1, 0, []), counter: 9)
        reader.feed(plain(1, 46, 0, [7]), counter: 46)
        #expect(reader.reader.waiting == 2 && reader.counts[1] == 0)
        reader.feed(plain(1_420, 46, 0, []), counter: 46)
        #expect(reader.counts[1] == 1)
    }

    @Test func `a piece that speaks of another frame is refused, and the frame is not hurt`() {
        let train = two()
        let ping: [UInt8] = [3, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let left = Int(train[1][0]) | Int(train[1][1]) << 8
        let rest = Array(train[1][4..<4 + left])
        let longer = plain(left + 1, 1, 0, rest + [0] + ping)
        let further = plain(left, 2, 0, rest + ping)
        let wider = plain(left, 1, 0, rest + ping) + [0]
        for (forged, counter) in [(longer, UInt64(1)), (further, 2), (wider, 1)] {
            let reader = reader()
            reader.feed(train[0], counter: 0)
            #expect(reader.feed(forged, counter: counter) == [])
            #expect(reader.counts == [0, 1, 0])
            #expect(reader.feed(train[1], counter: 1).map(\.type) == [1, 3])
        }
        // The same where the first piece comes last.
        let reader = reader()
        reader.feed(longer, counter: 1)
        #expect(reader.feed(train[0], counter: 0).map(\.type) == [3])
        #expect(reader.reader.verdict == .frameInvalid && reader.reader.waiting == 1)
    }

    @Test func `a bad frame costs what is behind it and not what is before it`() {
        let ping: [UInt8] = [3, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let bad: [[UInt8]] = [
            [1, 0xb4, 5], [1, 0xb6, 5], [1, 0, 0], [2, 1, 0x10], [3, 7, 0], [3, 65, 0], [4, 7, 0],
            [4, 65, 0], [16, 1, 0x10], [20, 1, 0x10], [5, 1, 0x10], [255, 0xff, 0xff],
        ]
        for head in bad {
            let reader = reader()
            #expect(reader.feed(plain(0, 0, 0, ping + head + ping), counter: 9).count == 1)
            #expect(reader.counts == [0, 1, 0] && reader.reader.waiting == 0)
            // The next datagram is none the worse, and nothing is counted twice.
            #expect(reader.feed(plain(0, 0, 0, ping), counter: 10).count == 1)
            #expect(reader.reader.verdict == .none && reader.counts == [0, 0, 0])
        }
    }

    @Test func `limits that cannot be are refused at the start`() async {
        await #expect(processExitsWith: .success) { makeReader(65_532, 4, 2) }
        await #expect(processExitsWith: .failure) { makeReader(65_533, 4, 2) }
        await #expect(processExitsWith: .failure) { makeReader(0, 4, 2) }
        await #expect(processExitsWith: .failure) { makeReader(1_461, 3, 2) }
        await #expect(processExitsWith: .failure) { makeReader(1_461, 64, 1) }
        await #expect(processExitsWith: .failure) { makeReader(1_461, 64, 64) }
    }
}

/// Makes a reader with these limits.
private func makeReader(_ packetBytes: Int, _ assemblies: Int, _ perLink: Int) {
    var limits = FrameLimits(packetBytes: packetBytes)
    limits.assemblies = assemblies
    limits.perLink = perLink
    _ = TestReader(limits)
}
