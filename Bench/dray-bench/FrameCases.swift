import Bytes
import Harness
import Link

/// Packets of today's network between two neighbours: written into trains of datagrams as large as
/// an Ethernet frame of 1,500 bytes allows, and taken out of them again. Nothing is sealed.
private final class FrameBench {
    private static let datagramBytes = 1_452
    private static let packetBytes = 1_461
    private let memory: Memory
    private let packets: Region
    private let train: Region
    private var reader: FrameReader
    private var counter: UInt64 = 0

    init() {
        let limits = FrameLimits(packetBytes: FrameBench.packetBytes)
        let readerBytes = FrameReader.byteCount(for: limits)
        memory = Memory(readerBytes + (1 << 18))
        var arena = Arena(memory.region)
        reader = FrameReader(arena.region(readerBytes), limits: limits)
        reader.clear(hash: KeyedHash(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))
        packets = arena.region(64 * FrameBench.packetBytes)
        train = arena.region(65_000)
        for offset in 0..<packets.byteCount {
            packets.store(UInt8(truncatingIfNeeded: offset &* 37 &+ offset >> 8), offset)
        }
    }

    private func packet(_ number: Int) -> Region {
        packets.slice(number * FrameBench.packetBytes, FrameBench.packetBytes)
    }

    /// 64 packets there.
    func write() -> UInt64 {
        var datagrams = 0
        var next = 0
        while next < 64 {
            var writer = FrameWriter(train, datagramBytes: FrameBench.datagramBytes)
            while next < 64, writer.add(.packet, packet(next)) { next += 1 }
            datagrams += writer.end()
        }
        return UInt64(datagrams)
    }

    /// 64 packets there and back.
    func carry() -> UInt64 {
        var found = 0
        var sum: UInt64 = 0
        var next = 0
        while next < 64 {
            var writer = FrameWriter(train, datagramBytes: FrameBench.datagramBytes)
            while next < 64, writer.add(.packet, packet(next)) { next += 1 }
            for datagram in 0..<writer.end() {
                let start = datagram * FrameBench.datagramBytes + 16
                reader.begin(
                    train.slice(start, FrameBench.datagramBytes - 32),
                    session: 1,
                    link: 1,
                    counter: counter,
                    nowNanos: counter
                )
                counter += 1
                while let frame = reader.next() {
                    found += 1
                    sum = sum &* 31 &+ UInt64(frame.body.byte(found))
                }
            }
        }
        precondition(found == 64, "a packet is lost")
        return sum
    }
}

func frameCases() -> [Case] {
    let bench = FrameBench()
    return [
        Case("link.frames.write", batch: 64) { bench.write() },
        Case("link.frames", batch: 64) { bench.carry() },
    ]
}
