import Bytes
import Testing
import TestSupport

@Suite struct BytesTests {
    @Test func `hex decodes what it encodes`() {
        var random = SeededGenerator("hex")
        for count in 0..<40 {
            let bytes = random.bytes(count)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
            #expect(Hex.decode("0x" + Hex.encode(bytes).uppercased()) == bytes)
        }
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }

    @Test func `every drop has its raw value as index`() {
        for drop in Drop.allCases {
            #expect(drop.index == drop.rawValue)
            #expect(Drop(index: drop.rawValue) == drop)
        }
    }

    @Test func `a batch forgets nothing about a dropped lane`() {
        var batch = Batch()
        batch.reset(nowNanos: 5)
        for lane in 0..<64 { batch.append(slot: UInt32(lane), byteCount: 10, source: 1) }
        batch.drop(3, .headerMac)
        batch.drop(mask: 0b1100, .replay)
        let (live, third, second) = (batch.live, batch.verdict(3), batch.verdict(2))
        #expect(live == LaneMask.max & ~0b1100)
        #expect(third == .headerMac)
        #expect(second == .replay)
    }
}

@Test(arguments: [0, 1, 7, 8, 9, 31, 241])
func `bytes are xored whatever their number and place`(count: Int) {
    var random = SeededGenerator("xor of regions")
    for offset in 0..<3 {
        let old = random.bytes(offset + count + 2)
        var target = old
        var mask = random.bytes(count)
        target.withRegion { target in mask.withRegion { target.xor($0, at: offset) } }
        for index in old.indices {
            let inside = index >= offset && index < offset + count
            #expect(target[index] == old[index] ^ (inside ? mask[index - offset] : 0))
        }
    }
}

@Test func `bytes are moved over themselves`() {
    var bytes = (0..<UInt8(20)).map { $0 }
    bytes.withRegion { $0.move(0, 12, to: 5) }
    #expect(bytes == Array(0..<5) + Array(0..<12) + Array(17..<20))
}
