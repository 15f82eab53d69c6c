internal import Bytes
internal import CLoadIO
internal import Crypto
internal import Datapath
internal import Link
internal import Tickets

/// What the relay sent to one of its neighbours.
struct LoadArrival {
    enum Kind {
        case packet
        case acknowledgements
        /// A ping: the relay looks whether trains arrive. It is not answered.
        case ping
        case other
    }

    var kind: Kind
    /// The neighbour.
    var link: Int
    /// A packet; valid until the next arrival is taken.
    var bytes: Region
    /// When it was taken from the kernel.
    var nanos: UInt64
    /// Acknowledgements.
    var acks = 0
}

/// What went over the links so far.
struct LinkCounts: Equatable {
    /// Datagrams that the kernel took from us.
    var sent: UInt64 = 0
    /// Those it did not take.
    var refused: UInt64 = 0
    /// Datagrams that came.
    var received: UInt64 = 0
    /// Datagrams for us that the kernel dropped.
    var dropped: UInt64 = 0
    /// Datagrams that did not open.
    var closed: UInt64 = 0
    /// Acknowledgements sent.
    var acks: UInt64 = 0
}

/// How the relay's neighbours talk to it, all of them in one thread: sessions as handshakes would
/// have made them, a socket that speaks for every neighbour's address.
final class LoadLink {
    /// Acknowledgements of a link that wait before a frame of them is sent, while there is much
    /// to do: one datagram's worth.
    private static let ackFrame = 14
    private static let acksMax = 4_096

    private let network: LoadNetwork
    private let socket: LoadSocket
    private let sessions: LoadSessions
    private let relay: load_address
    private let source: DatagramAddress
    private let datagramBytes: Int
    private var worker: LinkWorker
    private var frames: FrameReader
    private let memory: Memory
    /// Whom the datagrams are for that are opened together.
    private let toIPs: Column<UInt32>
    /// Acknowledgements by link, a train and a frame for each.
    private let acks: Column<Acknowledgement>
    private let ackCounts: Column<Int>
    private let trains: Region
    private let text: Region
    private var acksWait = 0
    private var acksSent: UInt64 = 0
    private var closed: UInt64 = 0
    // The train that is being read.
    private var trainCount = 0
    private var train = 0
    private var offset = 0
    private var nanos: UInt64 = 0
    private var link = 0
    private var isReading = false
    // Of the datagrams that were opened together.
    private var lane = 0
    private var laneCount = 0

    /// - Parameters:
    ///   - socket: open at the port that the network's neighbours have.
    ///   - port: of the relay.
    init(
        _ network: LoadNetwork,
        _ sessions: LoadSessions,
        socket: consuming LoadSocket,
        port: UInt16,
        datagramBytes: Int
    ) {
        self.network = network
        self.sessions = sessions
        self.socket = socket
        self.datagramBytes = datagramBytes
        relay = load_address(ip: 0x7f00_0001, port: port)
        source = .loopback(port: port)
        worker = LinkWorker(sessions.neighbours, worker: 0)
        worker.enter()
        var limits = FrameLimits(packetBytes: network.plan.packetBytes)
        limits.assemblies = 4_096
        let links = network.plan.links
        let frameBytes = FrameReader.byteCount(for: limits)
        memory = Memory(
            frameBytes + links * (LoadLink.acksMax * 96 + 8)
                + links * LoadLink.trainBytes(datagramBytes) + 4_096 + 65_536
        )
        var arena = Arena(memory.region)
        frames = FrameReader(arena.region(frameBytes), limits: limits)
        frames.clear(hash: LoadNetwork.hash)
        toIPs = arena.column(UInt32.self, DatagramLanes.count)
        acks = arena.column(Acknowledgement.self, links * LoadLink.acksMax)
        ackCounts = arena.column(Int.self, links)
        trains = arena.region(links * LoadLink.trainBytes(datagramBytes))
        text = arena.region(4_096)
    }

    private static func trainBytes(_ datagramBytes: Int) -> Int {
        LinkLimits.trainDatagramsMax * datagramBytes
    }

    /// Seals packets to be sent later; no other datagram of their senders may be sent between.
    func seal(
        _ traffic: some LoadTraffic,
        count: Int,
        perTrain: Int
    ) throws(LoadError) -> SealedTrains {
        try SealedTrains(
            traffic,
            count: count,
            perTrain: perTrain,
            packetBytes: network.plan.packetBytes,
            sessions,
            &worker,
            datagramBytes: datagramBytes
        )
    }

    // MARK: sending

    /// Queues a train; its bytes must stay until `flush`.
    func send(_ train: SealedTrains.Train) {
        socket.put(
            train: train.bytes,
            segmentBytes: datagramBytes,
            from: LoadNetwork.ip(train.link),
            to: relay
        )
    }

    /// Seals a train of packets now and queues it; its bytes must stay until `flush`.
    func send(
        _ packets: some LoadTraffic,
        first: Int,
        count: Int,
        into train: Region
    ) throws(LoadError) {
        var writer = FrameWriter(train, datagramBytes: datagramBytes)
        for number in first..<first + count {
            let fits = writer.add(.packet, packets.packet(number))
            precondition(fits, "a train is too long")
        }
        let link = packets.sender(first)
        let bytes = try worker.finish(&writer, train, sessions, link)
        send(SealedTrains.Train(first: first, packets: count, link: link, bytes: bytes))
    }

    /// Sends the packets that are queued.
    func flush() { socket.flush() }

    /// Queues an acknowledgement of a neighbour: 96 bytes, which are copied.
    func acknowledge(_ acknowledgement: Region, from link: Int) throws(LoadError) {
        if ackCounts[link] == LoadLink.acksMax { try sendAcknowledgements(link) }
        acks[link * LoadLink.acksMax + ackCounts[link]] = acknowledgement.load(0)
        ackCounts[link] += 1
        acksWait += 1
    }

    /// Sends acknowledgements that are due.
    ///
    /// - Parameter isIdle: nothing else is to be done now: all are due.
    func flushAcknowledgements(isIdle: Bool) throws(LoadError) {
        guard acksWait > 0, isIdle || acksWait >= LoadLink.ackFrame * network.plan.nextHops else {
            return
        }
        for link in 0..<network.plan.links where ackCounts[link] > 0 {
            try sendAcknowledgements(link)
        }
        socket.flush()
    }

    private func sendAcknowledgements(_ link: Int) throws(LoadError) {
        let trainBytes = LoadLink.trainBytes(datagramBytes)
        let place = trains.slice(link * trainBytes, trainBytes)
        var done = 0
        while done < ackCounts[link] {
            var writer = FrameWriter(place, datagramBytes: datagramBytes)
            while done < ackCounts[link] {
                let count = min(LoadLink.ackFrame, ackCounts[link] - done)
                let body = text.slice(0, Acknowledgements.textBytes(count: count))
                let made = Acknowledgements.begin(body, count: count)
                for index in 0..<count {
                    made[index] = acks[link * LoadLink.acksMax + done + index]
                }
                guard writer.add(.acknowledgements, body) else { break }
                done += count
            }
            let bytes = try worker.finish(&writer, place, sessions, link)
            send(SealedTrains.Train(first: 0, packets: 0, link: link, bytes: bytes))
            // The next train is written where this one lies.
            if done < ackCounts[link] { socket.flush() }
        }
        acksSent += UInt64(done)
        acksWait -= done
        ackCounts[link] = 0
    }

    // MARK: receiving

    /// The next thing that came; nil if there is none now.
    func next() throws(LoadError) -> LoadArrival? {
        while true {
            if isReading {
                if let frame = frames.next() { return arrival(frame) }
                isReading = false
            }
            guard try open() else { return nil }
        }
    }

    private func arrival(_ frame: Frame) -> LoadArrival {
        var arrival = LoadArrival(kind: .other, link: link, bytes: frame.body, nanos: nanos)
        switch frame.type {
        case .packet: arrival.kind = .packet
        case .acknowledgements:
            arrival.kind = .acknowledgements
            arrival.acks = Acknowledgements.parse(frame.body)?.count ?? 0
        case .ping: arrival.kind = .ping
        case .pong, .paymentTerms, .locks, .secrets, .promises, .logSegment: break
        }
        return arrival
    }

    /// Opens the next datagram; false if there is none now.
    private func open() throws(LoadError) -> Bool {
        if lane == laneCount {
            try gather()
            (lane, laneCount) = (0, worker.openWaiting())
            if laneCount == 0 { return false }
        }
        let opened = worker.opened(lane, nowNanos: nanos)
        let plain = worker.plain(lane)
        let link = network.link(ip: toIPs[lane])
        lane += 1
        guard opened.verdict == .none, let link,
            network.neighbours[link].keyID == opened.keyID
        else {
            closed += 1
            return true
        }
        if opened.isIdle { return true }
        self.link = link
        frames.begin(
            plain,
            session: opened.session,
            link: opened.row,
            counter: opened.counter,
            nowNanos: nanos
        )
        isReading = true
        return true
    }

    /// Lets datagrams wait, as many as are opened together or as there are.
    private func gather() throws(LoadError) {
        if train == trainCount {
            trainCount = try socket.take()
            train = 0
            nanos = Host.nanos()
        }
        while train < trainCount {
            let current = socket.train(train)
            let count = min(current.segmentBytes, current.bytes.byteCount - offset)
            let datagram = current.bytes.slice(offset, count)
            guard worker.canWait(datagram) else { return }
            let place = worker.waitingCount
            if worker.wait(datagram, from: source, nowNanos: nanos) == .none {
                toIPs[place] = current.toIP
            } else {
                closed += 1
            }
            offset += count
            if offset == current.bytes.byteCount {
                offset = 0
                train += 1
            }
        }
    }

    /// What went over the links so far.
    var counts: LinkCounts {
        let counts = socket.counts
        return LinkCounts(
            sent: counts.sent,
            refused: counts.refused,
            received: counts.received,
            dropped: socket.drops,
            closed: closed,
            acks: acksSent
        )
    }
}
