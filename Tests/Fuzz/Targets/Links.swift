import Bytes
import Crypto
import Datapath
import Link

/// Datagrams to a node with one neighbour. For each: which honest one it is made from (none,
/// initiation, response, cookie reply, data), how it is cut, patches, and where it comes from.
///
/// Nothing hostile is answered with a session or taken as data, and the neighbour is understood at
/// the end as at the beginning.
func fuzzLink(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let bench = LinkBench()
    bench.gate(isBusy: input.byte() & 1 == 1)
    for _ in 0..<24 where !input.rest.isEmpty {
        let choice = input.byte()
        var datagram = bench.honest(Int(choice & 7))
        let original = datagram
        switch choice >> 3 & 3 {
        case 0: break
        case 1: datagram.removeLast(min(datagram.count, Int(input.byte())))
        case 2: datagram += [UInt8](repeating: 0, count: Int(input.byte()))
        default: datagram = Array(datagram.prefix(Int(input.byte())))
        }
        for _ in 0..<Int(choice >> 5) where !datagram.isEmpty {
            let place = Int(input.byte()) << 8 | Int(input.byte())
            datagram[place % datagram.count] = input.byte()
        }
        bench.receive(datagram, isHonest: datagram == original)
        bench.now += UInt64(input.byte()) << 20
    }
    bench.finish()
}

/// One side of a link, as the node under attack and as its neighbour.
private final class LinkSide {
    let table: LinkTable
    let key: PacketKey
    let keyID: UInt32
    let address: DatagramAddress
    var desk: LinkDesk
    var worker: LinkWorker
    private let memory: Memory
    private let room = Memory(LinkLimits.datagramBytesMax)

    init(_ number: UInt8) {
        keyID = UInt32(number)
        address = .loopback(port: UInt16(number))
        let seed = Memory(64)
        seed.region.fill(number)
        key = withExtendedLifetime(seed) { PacketKey(seed: seed.region.slice(0, 32)) }
        let size = LinkSize(peers: 1, workers: 1)
        memory = Memory(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: KeyedHash(1, 2))
        let prologue = LinkPrologue(
            packetBytes: 1_461,
            payloadBytes: 1_040,
            selector: 1,
            domain: Bytes32()
        )
        desk = LinkDesk(
            table,
            LinkConfig(prologue: prologue),
            identity: LinkIdentity(key),
            seed: seed.region,
            nowNanos: 0,
            wallNanos: 1_000_000_000
        )
        worker = LinkWorker(table, worker: 0)
        worker.enter()
        withExtendedLifetime(seed) {}
    }

    /// What it wants to send, ticking first.
    func next(_ now: UInt64) -> [UInt8]? {
        desk.tick(nowNanos: now)
        return desk.next(into: room.region, nowNanos: now).map {
            room.region.slice(0, $0.byteCount).array
        }
    }

    /// A datagram of data; nil without a session.
    func data(to other: LinkSide, _ now: UInt64) -> [UInt8]? {
        let row = table.peer(keyID: other.keyID)
        let session = table.sendingSession(row, nowNanos: now)
        guard session != LinkTable.none, let counter = table.reserve(session: session, count: 1)
        else { return nil }
        let bytes = table.datagramBytes(session: session)
        room.region.fill(0)
        worker.seal(
            session: session,
            train: room.region,
            count: 1,
            firstCounter: counter,
            nowNanos: now
        )
        return room.region.slice(0, bytes).array
    }

    func receive(_ bytes: [UInt8], from other: LinkSide, _ now: UInt64) -> Drop {
        var bytes = bytes
        return bytes.withRegion { datagram in
            if LinkGate.isData(datagram) {
                let source = other.address
                return worker.open(datagram, into: room.region, from: source, nowNanos: now).verdict
            }
            let verdict = LinkGate(table).check(datagram, from: other.address, nowNanos: now)
            guard verdict.drop == .none else { return verdict.drop }
            return desk.take(datagram, from: other.address, nowNanos: now)
        }
    }
}

private final class LinkBench {
    private let node = LinkSide(1)
    private let neighbour = LinkSide(2)
    private var pool: [[UInt8]] = []
    var now: UInt64 = 1_000_000_000

    /// A link that is up, and one honest datagram of each type that nobody has seen yet.
    init() {
        for (side, other) in [(node, neighbour), (neighbour, node)] {
            let peer = LinkPeer(
                keyID: other.keyID,
                packetKey: other.key.publicKey,
                address: other.address
            )
            side.desk.setPeers([peer], nowNanos: now)
        }
        connect()
        now += 2_000_000_000
        pool.append(neighbour.data(to: node, now) ?? [])
    }

    private func connect() {
        neighbour.desk.wants(keyID: node.keyID, nowNanos: now)
        pool.append([UInt8](repeating: 0, count: LinkLimits.datagramBytes))
        let initiation = neighbour.next(now) ?? []
        pool.append(initiation)
        precondition(node.receive(initiation, from: neighbour, now) == .none)
        let response = node.next(now) ?? []
        pool.append(response)
        precondition(neighbour.receive(response, from: node, now) == .none)
        precondition(node.receive(neighbour.next(now) ?? [], from: neighbour, now) == .none)
    }

    func gate(isBusy: Bool) { LinkGate(node.table).setBusy(untilNanos: isBusy ? .max : 0) }

    /// A datagram that was honest once; the last one still is.
    func honest(_ number: Int) -> [UInt8] {
        number < pool.count ? pool[number] : pool[pool.count - 1]
    }

    func receive(_ datagram: [UInt8], isHonest: Bool) {
        let isData = datagram.count >= 4 && Array(datagram[..<4]) == [4, 0, 0, 0]
        let verdict = node.receive(datagram, from: neighbour, now)
        // All handshakes are old; data may be taken if nothing in it was changed.
        precondition(verdict != .none || isHonest || !isData || datagram == pool[pool.count - 1])
        while let answer = node.next(now) {
            precondition(answer.count == LinkLimits.datagramBytes)
        }
    }

    func finish() {
        let data = neighbour.data(to: node, now) ?? []
        precondition(node.receive(data, from: neighbour, now) == .none)
        precondition(node.receive(data, from: neighbour, now) == .linkReplay)
        let answer = node.data(to: neighbour, now) ?? []
        precondition(neighbour.receive(answer, from: node, now) == .none)
    }
}
