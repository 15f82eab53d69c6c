import Bytes
import TestSupport
import Testing

@testable import Link

@Suite struct FrameModelTests {
    @Test func `exactly the frames all of whose datagrams came are handed out, in any order`() {
        var random = SeededGenerator("frame loss")
        for round in 0..<60 {
            let packetBytes = [1_461, 700, 3_670].randomElement(using: &random) ?? 1_461
            var limits = FrameLimits(packetBytes: packetBytes)
            limits.assemblies = 256
            limits.perLink = 63
            limits.lifeNanos = .max
            let reader = TestReader(limits)
            let plainBytes =
                round % 3 == 0 ? 1_420 : Int.random(in: 1_200...3_000, using: &random)
            let sent = TestSent.trains(
                1,
                link: 1,
                session: 1,
                plainBytes: plainBytes,
                packetBytes: packetBytes,
                &random
            )
            let loss = Int.random(in: 0...40, using: &random)
            let came = sent.filter { _ in Int.random(in: 0..<100, using: &random) >= loss }
            var found: [TestFrame] = []
            for item in came.shuffled(using: &random) {
                found += reader.feed(item.datagram.plain, counter: item.counter)
            }
            let all = pieces(sent)
            let here = pieces(came)
            let frames = sent[0].frames
            let whole = frames.indices.filter { all[$0] == here[$0] }
            let torn = frames.indices.filter { all[$0] != here[$0] && here[$0] != nil }
            let expected = whole.map { frames[$0] }.filter(\.isKnown)
            #expect(counted(found) == counted(expected))
            #expect(reader.reader.waiting == torn.count)
            reader.reader.expire(nowNanos: .max)
            let unknown = whole.count - expected.count
            #expect(reader.counts == [UInt64(torn.count), 0, UInt64(unknown)])
        }
    }

    /// Datagrams by the frame that they have bytes of.
    private func pieces(_ sent: [TestSent]) -> [Int: Set<Int>] {
        var found: [Int: Set<Int>] = [:]
        for item in sent {
            for piece in item.datagram.pieces {
                found[piece.frame, default: []].insert(piece.index)
            }
        }
        return found
    }

    private func counted(_ frames: [TestFrame]) -> [TestFrame: Int] {
        Dictionary(frames.map { ($0, 1) }, uniquingKeysWith: +)
    }

    @Test func `many links with loss, disorder, repetition and little memory are as in the model`()
    {
        var random = SeededGenerator("frame model")
        for _ in 0..<25 {
            var limits = FrameLimits(packetBytes: 1_461)
            limits.assemblies = Int.random(in: 4...24, using: &random)
            limits.perLink = Int.random(in: 2...min(8, limits.assemblies), using: &random)
            limits.lifeNanos = 2_000
            let hash = KeyedHash(random.next(), random.next())
            let reader = TestReader(limits, hash: hash)
            var model = ModelReader(limits)
            // A few links that send much, or many that send little.
            let isMany = Bool.random(using: &random)
            let links = isMany ? 60 : Int.random(in: 1...8, using: &random)
            var queues = (0..<links).map { link in
                TestSent.trains(
                    isMany ? 1 : 4,
                    link: UInt32(link / 2),
                    session: UInt32(link),
                    plainBytes: [1_200, 1_420, 1_700].randomElement(using: &random) ?? 1_420,
                    packetBytes: 1_461,
                    &random
                )
            }
            var now: UInt64 = 0
            while let link = queues.indices.filter({ !queues[$0].isEmpty }).randomElement(
                using: &random
            ) {
                now += UInt64.random(in: 0...100, using: &random)
                let depth = min(queues[link].count, Int.random(in: 1...12, using: &random))
                let place = Int.random(in: 0..<depth, using: &random)
                let item = queues[link][place]
                // One in twenty is lost, one in twenty comes twice.
                let luck = Int.random(in: 0..<20, using: &random)
                if luck != 1 { queues[link].remove(at: place) }
                guard luck != 0 else { continue }
                let expected = model.feed(item, now: now)
                let found = reader.feed(
                    item.datagram.plain,
                    counter: item.counter,
                    session: item.session,
                    link: item.link,
                    now: now
                )
                #expect(found == expected)
                #expect(reader.reader.waiting == model.count)
            }
            #expect(reader.counts == [UInt64(model.lost), 0, UInt64(model.unknown)])
        }
    }

    @Test func `what a writer wrote a reader reads`() {
        var random = SeededGenerator("frames there and back")
        for _ in 0..<20 {
            let datagramBytes = Int.random(in: 1_232...9_000, using: &random)
            let reader = TestReader(FrameLimits(packetBytes: 1_461))
            let memory = Memory(65_000)
            var writer = FrameWriter(memory.region, datagramBytes: datagramBytes)
            var frames: [TestFrame] = []
            while true {
                let frame = random.frame(packetBytes: 1_461)
                guard let type = FrameType(number: frame.type) else { continue }
                var body = frame.body
                guard body.withRegion({ writer.add(type, $0) }) else { break }
                frames.append(frame)
            }
            var found: [TestFrame] = []
            for index in 0..<writer.end() {
                let start = index * datagramBytes + 16
                let plain = memory.region.slice(start, datagramBytes - 32).array
                found += reader.feed(plain, counter: UInt64(index))
            }
            #expect(found == frames && reader.counts == [0, 0, 0])
        }
    }

    @Test func `noise is answered without damage`() {
        var random = SeededGenerator("frame noise")
        var limits = FrameLimits(packetBytes: 1_461)
        limits.assemblies = 8
        limits.perLink = 4
        let reader = TestReader(limits)
        for step in 0..<3_000 {
            var plain = [UInt8](repeating: 0, count: Int.random(in: 1_200...1_500, using: &random))
            for place in [0, 1, 2, 4, 5, 6, 7, 8, 9] {
                let high = place == 1 || place == 2 ? 4 : 255
                plain[place] = UInt8(Int.random(in: 0...high, using: &random))
            }
            let counter = UInt64.random(in: 0...30, using: &random)
            let link = UInt32.random(in: 0...3, using: &random)
            let found = reader.feed(plain, counter: counter, link: link, now: UInt64(step))
            for frame in found {
                #expect(
                    FrameType.allows(frame.type, bodyBytes: frame.body.count, packetBytes: 1_461)
                )
            }
            #expect(reader.reader.waiting <= 8)
        }
    }
}
