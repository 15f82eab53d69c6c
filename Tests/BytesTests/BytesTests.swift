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
