import Bytes
import TestSupport
import Testing

@testable import Link

@Suite struct FrameWriterTests {
    /// A train in memory that was used before.
    private func train(_ byteCount: Int = 65_000) -> Memory {
        let memory = Memory(byteCount)
        memory.region.fill(0xee)
        return memory
    }

    private func plain(_ train: Memory, _ index: Int, _ datagramBytes: Int) -> [UInt8] {
        train.region.slice(index * datagramBytes + 16, datagramBytes - 32).array
    }

    private func add(_ frame: TestFrame, split: Int, to writer: inout FrameWriter) -> Bool {
        var body = frame.body
        return body.withRegion { body in
            writer.add(
                raw: frame.type,
                body.slice(0, split),
                body.slice(split, body.byteCount - split)
            )
        }
    }

    @Test func `a train is what the description says, byte for byte, and nothing of old memory`() {
        var random = SeededGenerator("frame writer")
        for round in 0..<60 {
            let datagramBytes =
                [1_232, 1_452, 9_000, 65_000].randomElement(using: &random).flatMap {
                    round % 2 == 0 ? $0 : Int.random(in: 1_232...2_000, using: &random)
                } ?? 1_452
            let memory = train()
            var writer = FrameWriter(memory.region, datagramBytes: datagramBytes)
            var frames: [TestFrame] = []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let frame = random.frame(packetBytes: 1_461)
                let room = writer.fits(frame.body.count)
                let split = Int.random(in: 0...frame.body.count, using: &random)
                let isAdded = add(frame, split: split, to: &writer)
                #expect(isAdded == room)
                if isAdded { frames.append(frame) }
                let fitting = referenceTrain(frames + [frame], plainBytes: datagramBytes - 32)
                let isFull = fitting.count > min(44, 65_000 / datagramBytes)
                if !isAdded { #expect(isFull) }
            }
            let expected = referenceTrain(frames, plainBytes: datagramBytes - 32)
            #expect(writer.end() == expected.count)
            for index in expected.indices {
                #expect(plain(memory, index, datagramBytes) == expected[index].plain)
                // What is in clear, and the tag, belong to the sealer.
                let start = index * datagramBytes
                let frame =
                    memory.region.slice(start, 16).array
                    + memory.region.slice(start + datagramBytes - 16, 16).array
                #expect(frame == [UInt8](repeating: 0xee, count: 32))
            }
            let used = expected.count * datagramBytes
            let rest = memory.region.slice(used, 65_000 - used).array
            #expect(rest.allSatisfy { $0 == 0xee })
        }
    }

    @Test func `a lone packet goes in datagrams of its own, padded`() {
        let memory = train()
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        let packet = TestFrame.packet([UInt8](repeating: 7, count: 1_461))
        #expect(add(packet, split: 0, to: &writer))
        #expect(writer.end() == 2)
        let expected = referenceTrain([packet], plainBytes: 1_420)
        #expect(plain(memory, 0, 1_452) == expected[0].plain)
        // 1,464 bytes less the 1,416 of the first datagram.
        #expect(plain(memory, 1, 1_452).prefix(4) == [48, 0, 1, 0])
        #expect(plain(memory, 1, 1_452).suffix(1_420 - 52).allSatisfy { $0 == 0 })
    }

    @Test func `a frame that does not fit leaves the train as it was`() {
        let memory = train(3 * 1_452)
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        #expect(writer.datagramsMax == 3)
        let packet = TestFrame.packet([UInt8](repeating: 7, count: 1_461))
        #expect(add(packet, split: 9, to: &writer))
        // 3 times 1,416, less the packet's 1,464, less a head of 3.
        #expect(writer.fits(2_781) && !writer.fits(2_782))
        let before = memory.region.array
        #expect(
            !add(
                TestFrame(type: 16, body: [UInt8](repeating: 1, count: 2_782)),
                split: 0,
                to: &writer
            )
        )
        #expect(memory.region.array == before && writer.datagramCount == 2)
        #expect(
            add(
                TestFrame(type: 16, body: [UInt8](repeating: 1, count: 2_781)),
                split: 0,
                to: &writer
            )
        )
        #expect(!writer.fits(0) && writer.end() == 3)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5])
    func `no head begins in the last three bytes of a datagram`(left: Int) {
        let memory = train()
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        let first = TestFrame(type: 16, body: [UInt8](repeating: 1, count: 1_413 - left))
        let second = TestFrame(type: 17, body: [9, 9])
        #expect(add(first, split: 0, to: &writer))
        #expect(add(second, split: 0, to: &writer))
        #expect(writer.end() == (left < 5 ? 2 : 1))
        let end = plain(memory, 0, 1_452).suffix(left)
        let written: [UInt8] = left < 4 ? [0, 0, 0] : [17, 2, 0, 9, 9]
        #expect(end == written.prefix(left))
        if left < 5 {
            let start = plain(memory, 1, 1_452).prefix(9)
            #expect(
                start == (left == 4 ? [1, 0, 1, 0, 9, 0, 0, 0, 0] : [0, 0, 0, 0, 17, 2, 0, 9, 9])
            )
        }
    }

    @Test(arguments: [3, 4])
    func `what no head fits into is no room`(left: Int) {
        let memory = train(1_500)
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        let first = TestFrame(type: 16, body: [UInt8](repeating: 1, count: 1_413 - left))
        #expect(add(first, split: 0, to: &writer))
        #expect(writer.fits(0) == (left == 4) && writer.fits(1) == (left == 4) && !writer.fits(2))
    }

    @Test func `a frame longer than its length can say is refused`() {
        let memory = train(90_000)
        #expect(FrameWriter(memory.region, datagramBytes: 1_232).datagramsMax == 44)
        let writer = FrameWriter(memory.region, datagramBytes: 9_000)
        #expect(writer.fits(65_532) && !writer.fits(65_533))
    }

    @Test func `an empty train is nothing, or as much padding as is wanted`() {
        let memory = train()
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        #expect(writer.end() == 0)
        #expect(writer.end(least: 2) == 2)
        for index in 0..<2 { #expect(plain(memory, index, 1_452).allSatisfy { $0 == 0 }) }
        #expect(memory.region.byte(2 * 1_452 + 16) == 0xee)
    }

    @Test func `a body may come in two pieces`() {
        let memory = train()
        var writer = FrameWriter(memory.region, datagramBytes: 1_452)
        var (head, rest): ([UInt8], [UInt8]) = ([1, 2, 3], [4, 5, 6, 7, 8])
        let isAdded = head.withRegion { head in
            rest.withRegion { rest in writer.add(.ping, head, rest) && writer.add(.pong, rest, rest)
            }
        }
        #expect(isAdded && writer.end() == 1)
        let expected: [UInt8] = [0, 0, 0, 0, 3, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 10, 0, 4, 5]
        #expect(Array(plain(memory, 0, 1_452).prefix(20)) == expected)
    }
}
