import Bytes
import Crypto
import TestSupport
import Testing

/// Datagrams together against libsodium's, one by one.
@Suite struct DatagramLanesTests {
    private static let texts = 1_200...8_920
    private let memory: Memory
    private let lanes: DatagramLanes

    init() {
        let most = DatagramLanesTests.texts.upperBound
        memory = Memory(DatagramLanes.byteCount(textBytesMax: most))
        // What is in it at first must not matter.
        memory.region.fill(0xa5)
        var arena = Arena(memory.region)
        lanes = DatagramLanes(&arena, textBytesMax: most)
    }

    private struct One {
        let key: [UInt8]
        let counter: UInt64
        let text: [UInt8]
        /// Text and tag as libsodium has them.
        let sealed: [UInt8]

        init(_ random: inout SeededGenerator, textBytes: Int) {
            var key = random.bytes(32)
            var text = random.bytes(textBytes)
            let counter = random.next() >> UInt64.random(in: 0..<64, using: &random)
            var out = [UInt8](repeating: 0, count: text.count + 16)
            key.withRegion { key in
                text.withRegion { text in
                    out.withRegion {
                        ChaChaPoly.seal(text, data: .nowhere, key: key, counter: counter, into: $0)
                    }
                }
            }
            (self.key, self.text, self.counter, sealed) = (key, text, counter, out)
        }

        func set(_ lane: Int, of lanes: DatagramLanes, text: [UInt8]) {
            var (key, text) = (key, text)
            key.withRegion { key in
                text.withRegion { lanes.set(lane, key: key, counter: counter, text: $0) }
            }
        }

        /// The key of the tag: what the key stream begins with.
        var tagKey: [UInt8] {
            var nonce = (0..<8).map { UInt8(truncatingIfNeeded: counter >> UInt64(8 * $0)) }
            nonce = [0, 0, 0, 0] + nonce
            let (material, out) = (LaneBuffer(width: 44), LaneBuffer(width: 32))
            material[0] = nonce + key
            Kernels.headerStream(
                material: material.lanes,
                input: out.lanes,
                inputBytes: 0,
                out: out.lanes,
                outBytes: 32,
                live: 1
            )
            return out[0]
        }
    }

    /// Seals and opens `count` random texts; true if all is as libsodium has it.
    private func agrees(_ count: Int, textBytes: Int, _ random: inout SeededGenerator) -> Bool {
        let all = (0..<count).map { _ in One(&random, textBytes: textBytes) }
        lanes.layOut(textBytes: textBytes)
        for lane in 0..<count { all[lane].set(lane, of: lanes, text: all[lane].text) }
        lanes.seal(count)
        let isSealed = (0..<count).allSatisfy {
            lanes.text($0).array + lanes.tag($0).array == all[$0].sealed
        }
        for lane in 0..<count {
            all[lane].set(lane, of: lanes, text: Array(all[lane].sealed.dropLast(16)))
        }
        lanes.open(count)
        let isOpen = (0..<count).allSatisfy {
            lanes.text($0).array == all[$0].text
                && lanes.tag($0).array == Array(all[$0].sealed.suffix(16))
        }
        return isSealed && isOpen
    }

    @Test func `every length of a block's end, and of every size, is what libsodium makes`() {
        var random = SeededGenerator("datagram lanes")
        let texts = DatagramLanesTests.texts
        var sizes = Array(texts.lowerBound..<texts.lowerBound + 64) + [texts.upperBound, 1_420]
        sizes += (0..<30).map { _ in Int.random(in: texts, using: &random) }
        for textBytes in sizes.shuffled(using: &random) {
            let count = Int.random(in: 1...16, using: &random)
            let agrees = agrees(count, textBytes: textBytes, &random)
            #expect(agrees, "\(count) lanes of \(textBytes) bytes")
        }
    }

    @Test(arguments: 1...16)
    func `so is every number of lanes`(count: Int) {
        var random = SeededGenerator("datagram lanes \(count)")
        for textBytes in [1_200, 1_420, 4_096, 8_920] {
            let agrees = agrees(count, textBytes: textBytes, &random)
            #expect(agrees, "\(textBytes) bytes")
        }
    }

    // In processes of their own: other tests compute meanwhile.
    @Test func `so is what other tables make`() async {
        await #expect(processExitsWith: .success) {
            precondition(Kernels.use("portable"))
            let suite = DatagramLanesTests()
            precondition(suite.lanes.least > DatagramLanes.count)
            var random = SeededGenerator("datagram lanes portable")
            for count in [1, 7, 16] {
                let textBytes = Int.random(in: DatagramLanesTests.texts, using: &random)
                precondition(suite.agrees(count, textBytes: textBytes, &random))
            }
        }
        await #expect(processExitsWith: .success) {
            precondition(Kernels.use("scalar"))
            var random = SeededGenerator("datagram lanes scalar")
            for count in [1, 7, 16] {
                let textBytes = Int.random(in: DatagramLanesTests.texts, using: &random)
                precondition(DatagramLanesTests().agrees(count, textBytes: textBytes, &random))
            }
        }
    }

    @Test func `each changed bit gives another tag`() {
        var random = SeededGenerator("datagram lanes forged")
        let one = One(&random, textBytes: 1_212)
        let text = Array(one.sealed.dropLast(16))
        lanes.layOut(textBytes: 1_212)
        for _ in 0..<40 {
            for lane in 0..<16 {
                var forged = text
                let bit = Int.random(in: 0..<8 * text.count, using: &random)
                if lane > 0 { forged[bit / 8] ^= 1 << UInt8(bit % 8) }
                one.set(lane, of: lanes, text: forged)
            }
            lanes.open(16)
            for lane in 0..<16 {
                let isSame = lanes.tag(lane).array == Array(one.sealed.suffix(16))
                #expect(isSame == (lane == 0))
            }
        }
    }

    @Test(arguments: [false, true])
    func `no key stays behind, and nothing of a lane that is erased`(opens: Bool) {
        var random = SeededGenerator("datagram lanes keys")
        let all = (0..<16).map { _ in One(&random, textBytes: 1_420) }
        lanes.layOut(textBytes: 1_420)
        for lane in 0..<16 { all[lane].set(lane, of: lanes, text: all[lane].text) }
        if opens { lanes.open(16) } else { lanes.seal(16) }
        lanes.erase(5)
        let isErased = lanes.text(5).array.allSatisfy { $0 == 0 }
        #expect(isErased)
        let left = lanes.text(4).array.contains { $0 != 0 }
        #expect(left)
        let bytes = memory.region.array
        let words = Set((0..<bytes.count / 4).map { Array(bytes[4 * $0..<4 * $0 + 4]) })
        for key in all.flatMap({ [$0.key, $0.tagKey] }) {
            let isThere = (0..<8).contains { words.contains(Array(key[4 * $0..<4 * $0 + 4])) }
            #expect(!isThere)
        }
    }
}
