import Bytes
import TestSupport
import Testing

@testable import Link

@Suite struct FrameShareTests {
    private func reader(assemblies: Int, perLink: Int) -> TestReader {
        var limits = FrameLimits(packetBytes: 1_461)
        limits.assemblies = assemblies
        limits.perLink = perLink
        return TestReader(limits)
    }

    private let body = [UInt8](repeating: 42, count: 1_461)
    private var train: [[UInt8]] {
        referenceTrain([.packet(body)], plainBytes: 1_420).map(\.plain)
    }

    @Test func `a link has its share and gives up its own oldest`() {
        let train = train
        let reader = reader(assemblies: 64, perLink: 5)
        for counter in 0..<8 { reader.feed(train[0], counter: UInt64(2 * counter), link: 7) }
        #expect(reader.reader.waiting == 5 && reader.counts == [3, 0, 0])
        // The three oldest are gone; a late piece of one begins anew and costs the fourth.
        #expect(reader.feed(train[1], counter: 5, link: 7) == [])
        #expect(reader.counts == [1, 0, 0])
        #expect(reader.feed(train[1], counter: 7, link: 7) == [])
        for counter in 5..<8 {
            let found = reader.feed(train[1], counter: UInt64(2 * counter + 1), link: 7)
            #expect(found == [.packet(body)])
        }
    }

    @Test func `sessions of a link share`() {
        let train = train
        let reader = reader(assemblies: 64, perLink: 5)
        for session in 0..<100 {
            reader.feed(train[0], counter: 0, session: UInt32(session), link: 7)
        }
        #expect(reader.reader.waiting == 5 && reader.counts == [95, 0, 0])
    }

    @Test func `greedy links cost a link within its part nothing`() {
        var random = SeededGenerator("greedy links")
        let train = train
        let reader = reader(assemblies: 16, perLink: 12)
        for round in 0..<200 {
            // Four links, so that four frames are one's part.
            let start = UInt64(100_000 * round)
            let honest = (0..<4).map { start + 2 * $0 }
            for counter in honest {
                reader.feed(train[0], counter: counter, link: 0)
                for _ in 0..<20 {
                    let link = UInt32.random(in: 1...3, using: &random)
                    let counter = start + UInt64.random(in: 0..<50_000, using: &random)
                    let piece = Int.random(in: 0...1, using: &random)
                    reader.feed(train[piece], counter: counter + 1, link: link)
                }
            }
            #expect(reader.reader.waiting <= 16)
            for counter in honest {
                #expect(reader.feed(train[1], counter: counter + 1, link: 0) == [.packet(body)])
            }
        }
    }

    @Test func `more links than assemblies put the longest held out`() {
        let train = train
        let reader = reader(assemblies: 4, perLink: 2)
        for link in 0..<10 { reader.feed(train[0], counter: 0, link: UInt32(link)) }
        #expect(reader.reader.waiting == 4 && reader.counts == [6, 0, 0])
        for link in 6..<10 {
            #expect(reader.feed(train[1], counter: 1, link: UInt32(link)) == [.packet(body)])
        }
    }

    @Test func `a frame handed out and one begun need no more than there is`() {
        let train = referenceTrain([.packet(body), .packet(body)], plainBytes: 1_420).map(\.plain)
        let reader = reader(assemblies: 4, perLink: 2)
        for link in 0..<4 { reader.feed(train[0], counter: 0, link: UInt32(link)) }
        // The second datagram ends a frame, whose memory stays, and begins one.
        #expect(reader.feed(train[1], counter: 1, link: 0) == [.packet(body)])
        #expect(reader.reader.waiting == 3 && reader.counts == [1, 0, 0])
        #expect(reader.feed(train[2], counter: 2, link: 0) == [.packet(body)])
    }
}
