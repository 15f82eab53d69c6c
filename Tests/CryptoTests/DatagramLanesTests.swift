import Bytes
import Crypto
import TestSupport
import Testing

/// Datagrams together against libsodium's, one by one.
@Suite struct DatagramLanesTests {
    private static let textBytesMax = 8_920
    private let memory = Memory(DatagramLanes.byteCount(textBytesMax: textBytesMax))

    private func lanes() -> DatagramLanes {
        var arena = Arena(memory.region)
        return DatagramLanes(&arena, textBytesMax: DatagramLanesTests.textBytesMax)
    }

    private struct One {
        var key: [UInt8]
        var counter: UInt64
        var text: [UInt8]

        init(_ random: inout SeededGenerator, textBytes: Int) {
            key = random.bytes(32)
            counter = UInt64.random(in: 0...(1 << 37), using: &random)
            text = random.bytes(textBytes)
        }

        /// Text and tag as libsodium has them.
        func sealed() -> [UInt8] {
            var (key, text) = (key, text)
            var out = [UInt8](repeating: 0, count: text.count + 16)
            key.withRegion { key in
                text.withRegion { text in
                    out.withRegion {
                        ChaChaPoly.seal(text, data: .nowhere, key: key, counter: counter, into: $0)
                    }
                }
            }
            return out
        }

        func set(_ lane: Int, of lanes: DatagramLanes, text: [UInt8]) {
            var (key, text) = (key, text)
            key.withRegion { key in
                text.withRegion { lanes.set(lane, key: key, counter: counter, text: $0) }
            }
        }
    }

    @Test func `sealed together is sealed one by one, and opens again`() {
        var random = SeededGenerator("datagram lanes")
        let lanes = lanes()
        for round in 0..<60 {
            let count = Int.random(in: 1...16, using: &random)
            // Every length modulo a block of the cipher and of the tag.
            let textBytes =
                round % 3 == 0 ? 1_420 : Int.random(in: 1_200...8_920, using: &random)
            let all = (0..<count).map { _ in One(&random, textBytes: textBytes) }
            lanes.layOut(textBytes: textBytes)
            for lane in 0..<count { all[lane].set(lane, of: lanes, text: all[lane].text) }
            lanes.seal(count)
            let sealed = all.map { $0.sealed() }
            for lane in 0..<count {
                let made = lanes.text(lane).array + lanes.tag(lane).array
                #expect(made == sealed[lane], "lane \(lane) of \(count), \(textBytes) bytes")
            }
            for lane in 0..<count {
                all[lane].set(lane, of: lanes, text: Array(sealed[lane].dropLast(16)))
            }
            lanes.open(count)
            for lane in 0..<count {
                #expect(lanes.text(lane).array == all[lane].text)
                #expect(lanes.tag(lane).array == Array(sealed[lane].suffix(16)))
            }
        }
    }

    @Test func `each changed bit gives another tag`() {
        var random = SeededGenerator("datagram lanes forged")
        let lanes = lanes()
        let one = One(&random, textBytes: 1_212)
        let sealed = one.sealed()
        let text = Array(sealed.dropLast(16))
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
                #expect((lanes.tag(lane).array == Array(sealed.suffix(16))) == (lane == 0))
            }
        }
    }

    @Test func `no key stays behind`() {
        var random = SeededGenerator("datagram lanes keys")
        let lanes = lanes()
        let all = (0..<16).map { _ in One(&random, textBytes: 1_420) }
        lanes.layOut(textBytes: 1_420)
        for lane in 0..<16 { all[lane].set(lane, of: lanes, text: all[lane].text) }
        lanes.seal(16)
        let bytes = memory.region.array
        let words = Set((0..<bytes.count / 4).map { Array(bytes[4 * $0..<4 * $0 + 4]) })
        for one in all {
            for word in 0..<8 { #expect(!words.contains(Array(one.key[4 * word..<4 * word + 4]))) }
        }
    }
}
