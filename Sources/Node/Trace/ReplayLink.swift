internal import Bytes
internal import Crypto
internal import Datapath
internal import Exchange
internal import Link
internal import Tickets

/// What came back over a replay's link.
struct ReplayEchoes {
    var datagrams: UInt64 = 0
    var packets: UInt64 = 0
    var acknowledgements: UInt64 = 0
    var pings: UInt64 = 0
    var pongs: UInt64 = 0
    var others: UInt64 = 0
}

/// A link to one relay, as a neighbour has it, in one thread.
final class ReplayLink {
    private static let triesToSend = 200

    let packetBytes: Int
    private let socket: UDPSocket
    private let address: Endpoint
    private let row: UInt32
    private let memory: Memory
    private let frameMemory: Memory
    private let plain = Memory(LinkLimits.datagramBytesMax)
    private let room = Memory(LinkLimits.datagramBytesMax)
    private let train = Memory(LinkLimits.trainDatagramsMax * LinkLimits.datagramBytesMax)
    private let table: LinkTable
    private var desk: LinkDesk
    private var worker: LinkWorker
    private var frames: FrameReader
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var wantsSeen: UInt64 = 0
    private var writer: FrameWriter?
    private var session: UInt32 = 0
    /// What came back.
    private(set) var echoes = ReplayEchoes()
    /// Datagrams that went out, and those that the kernel did not take.
    private(set) var sent: UInt64 = 0
    private(set) var unsent: UInt64 = 0
    private(set) var sentBytes: UInt64 = 0

    /// A link that is down yet.
    init?(
        _ config: LinkConfig,
        key: PacketKey,
        to peer: LinkPeer,
        at address: Endpoint
    ) throws(SystemError) {
        packetBytes = config.prologue.packetBytes
        self.address = address
        socket = try UDPSocket(bind: Endpoint(family: address.family, address: Bytes16(), port: 0))
        let size = LinkSize(peers: 1, workers: 1)
        let hash = KeyedHash(.random(in: .min ... .max), .random(in: .min ... .max))
        memory = Memory(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: hash)
        let limits = FrameLimits(packetBytes: config.prologue.packetBytes)
        frameMemory = Memory(FrameReader.byteCount(for: limits))
        frames = FrameReader(frameMemory.region, limits: limits)
        frames.clear(hash: hash)
        let seed = Memory(64)
        Random.fill(seed.region)
        desk = LinkDesk(
            table,
            config,
            identity: LinkIdentity(key),
            seed: seed.region,
            nowNanos: MonotonicClock.nanos(),
            wallNanos: WallClock.millis() * 1_000_000
        )
        withExtendedLifetime(seed) {}
        worker = LinkWorker(table, worker: 0)
        worker.enter()
        desk.setPeers([peer], nowNanos: MonotonicClock.nanos())
        desk.wants(keyID: peer.keyID, nowNanos: MonotonicClock.nanos())
        row = table.peer(keyID: peer.keyID)
        guard row != LinkTable.none else { return nil }
    }

    /// True while there is a session to send on.
    var isUp: Bool {
        table.sendingSession(row, nowNanos: MonotonicClock.nanos()) != LinkTable.none
    }

    /// Takes what came, and does what is due.
    func turn() {
        flush()
        worker.quiesce()
        let now = MonotonicClock.nanos()
        while let (bytes, source) = socket.receive(&buffer) { take(bytes, source, now) }
        flush()
        frames.expire(nowNanos: now)
        let wants = table.wants()
        if wants != wantsSeen || now >= desk.dueNanos {
            wantsSeen = wants
            desk.tick(nowNanos: now)
        }
        while let out = desk.next(into: room.region, nowNanos: now) {
            socket.send(room.region.slice(0, out.byteCount).array, to: Endpoint(out.address))
        }
        while desk.nextEvent() != nil {}
    }

    /// Waits for something to come.
    func wait(millis: Int) { _ = UDPSocket.wait([socket.file], millis: millis) }

    private func take(_ bytes: [UInt8], _ source: Endpoint, _ now: UInt64) {
        guard bytes.count >= LinkLimits.datagramBytesMin, bytes.count <= room.region.byteCount
        else { return }
        let datagram = room.region.slice(0, bytes.count)
        datagram.store(bytes: bytes, 0)
        let from = DatagramAddress(source)
        let opened = worker.open(datagram, into: plain.region, from: from, nowNanos: now)
        if opened.verdict == .linkType {
            _ = desk.take(datagram, from: from, nowNanos: now)
            return
        }
        guard opened.verdict == .none else { return }
        echoes.datagrams += 1
        frames.begin(
            plain.region.slice(0, bytes.count - LinkLimits.overheadBytes),
            session: opened.session,
            link: opened.row,
            counter: opened.counter,
            nowNanos: now
        )
        while let frame = frames.next() { take(frame) }
    }

    private func take(_ frame: Frame) {
        switch frame.type {
        case .packet: echoes.packets += 1
        case .acknowledgements:
            echoes.acknowledgements += UInt64(Acknowledgements.parse(frame.body)?.count ?? 0)
        case .ping:
            echoes.pings += 1
            // Who does not answer looks like a path that loses trains.
            _ = add(.pong, frame.body, now: MonotonicClock.nanos())
        case .pong: echoes.pongs += 1
        case .paymentTerms, .locks, .secrets, .promises, .logSegment: echoes.others += 1
        }
    }

    // MARK: sending

    /// Adds a frame to the train; false if there is no session.
    func add(_ type: FrameType, _ body: Region, now: UInt64) -> Bool {
        if let isAdded = writer?.add(type, body) {
            if isAdded { return true }
            flush()
        }
        session = table.sendingSession(row, nowNanos: now)
        guard session != LinkTable.none else {
            table.want(row)
            return false
        }
        var fresh = FrameWriter(
            train.region,
            datagramBytes: table.datagramBytes(session: session)
        )
        let isAdded = fresh.add(type, body)
        writer = fresh
        return isAdded
    }

    /// Sends what was added.
    func flush() {
        guard var writer else { return }
        self.writer = nil
        let bytes = table.datagramBytes(session: session)
        let count = writer.end()
        guard count > 0, let first = table.reserve(session: session, count: count) else { return }
        worker.seal(
            session: session,
            train: train.region,
            count: count,
            firstCounter: first,
            nowNanos: MonotonicClock.nanos()
        )
        for place in 0..<count {
            let datagram = train.region.slice(place * bytes, bytes).array
            if send(datagram) {
                sent += 1
                sentBytes += UInt64(bytes)
            } else {
                unsent += 1
            }
        }
    }

    private func send(_ datagram: [UInt8]) -> Bool {
        for _ in 0..<ReplayLink.triesToSend {
            if socket.send(datagram, to: address) { return true }
            // The socket's buffer is full.
            pause(millis: 1)
        }
        return false
    }
}
