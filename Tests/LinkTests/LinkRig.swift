import Bytes
import Crypto
import Datapath
import Link
import TestSupport

/// A link table with its memory, its keeper and one worker.
struct LinkSide: ~Copyable {
    let memory: Memory
    let table: LinkTable
    var keeper: LinkKeeper
    var worker: LinkWorker

    init(peers: Int = 4, workers: Int = 2, seed: UInt8 = 1) {
        let size = LinkSize(peers: peers, workers: workers)
        memory = Memory(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: KeyedHash(UInt64(seed), 2))
        keeper = LinkSide.keeper(table, seed: seed)
        worker = LinkWorker(table, worker: 0)
        worker.enter()
    }

    static func keeper(_ table: LinkTable, seed: UInt8) -> LinkKeeper {
        let memory = Memory(32)
        memory.region.fill(seed)
        let keeper = LinkKeeper(table, seed: memory.region)
        withExtendedLifetime(memory) {}
        return keeper
    }
}

/// Two tables with a session between them: `a` has it proven, `b` has not heard from `a`.
struct LinkPair: ~Copyable {
    static let bytes = LinkLimits.datagramBytes
    static let addressA = DatagramAddress.loopback(port: 1_001)
    static let addressB = DatagramAddress.loopback(port: 1_002)
    static let idA: UInt32 = 0xaaaa_0001
    static let idB: UInt32 = 0xbbbb_0002

    var a: LinkSide
    var b: LinkSide
    let rowB: UInt32
    let rowA: UInt32
    var indices: (here: UInt32, there: UInt32)
    let train = Memory(LinkPair.bytes * LinkLimits.trainDatagramsMax)
    let plain = Memory(LinkPair.bytes)

    init(nowNanos: UInt64 = 1_000) {
        a = LinkSide(seed: 1)
        b = LinkSide(seed: 2)
        rowB = a.keeper.addPeer(keyID: LinkPair.idB, address: LinkPair.addressB) ?? LinkTable.none
        rowA = b.keeper.addPeer(keyID: LinkPair.idA, address: LinkPair.addressA) ?? LinkTable.none
        indices = (0, 0)
        connect(keyByte: 7, nowNanos: nowNanos)
    }

    mutating func connect(keyByte: UInt8, nowNanos: UInt64) {
        var keys = [UInt8](repeating: keyByte, count: 64)
        keys[40] = keyByte &+ 1
        let (rowA, rowB) = (rowA, rowB)
        indices = keys.withRegion {
            a.keeper.connect(
                rowB,
                with: &b.keeper,
                rowA,
                keys: $0,
                datagramBytes: LinkPair.bytes,
                nowNanos: nowNanos
            ) ?? (0, 0)
        }
    }

    /// Seals `count` datagrams from `a` into the train; the first one's counter, nil if there is no
    /// session. Plaintexts are made from the counter.
    mutating func sealFromA(count: Int, nowNanos: UInt64 = 2_000) -> UInt64? {
        let session = a.table.sendingSession(rowB, nowNanos: nowNanos)
        guard session != LinkTable.none,
            let first = a.table.reserve(session: session, count: count)
        else { return nil }
        for place in 0..<count {
            LinkPair.write(first + UInt64(place), to: text(place))
        }
        a.worker.seal(
            session: session,
            train: train.region,
            count: count,
            firstCounter: first,
            nowNanos: nowNanos
        )
        return first
    }

    /// The plaintext of a datagram in the train.
    func text(_ place: Int) -> Region {
        datagram(place).slice(16, LinkPair.bytes - 32)
    }

    func datagram(_ place: Int) -> Region {
        train.region.slice(place * LinkPair.bytes, LinkPair.bytes)
    }

    /// A plaintext that a counter determines, with a frame at its beginning.
    static func write(_ counter: UInt64, to text: Region) {
        for index in 0..<text.byteCount {
            text.store(UInt8(truncatingIfNeeded: counter &* 31 &+ UInt64(index)), index)
        }
        text.store(UInt32(0), 0)
        text.store(UInt8(2), 4)
    }

    mutating func openAtB(
        _ datagram: Region,
        from source: DatagramAddress = LinkPair.addressA,
        nowNanos: UInt64 = 3_000
    ) -> LinkOpened {
        b.worker.open(datagram, into: plain.region, from: source, nowNanos: nowNanos)
    }
}

extension DatagramAddress {
    /// An IPv6 address that differs from others in every word.
    static func six(_ number: UInt8, port: UInt16) -> DatagramAddress {
        var address = Bytes16()
        for index in 0..<16 { address[index] = number &+ UInt8(index) }
        return DatagramAddress(family: 6, address: address, port: port)
    }
}
