internal import Bytes
internal import CLoadIO
internal import Datapath
internal import Tickets

/// Links in the clear: one datagram a packet, and acknowledgements as packets.
///
/// Neighbours are either senders or next hops, so what comes for a sender is acknowledgements.
struct ClearLoadLink: LoadLink, ~Copyable {
    private let network: LoadNetwork
    private let socket: LoadSocket
    private let relay: load_address
    private let maker: AckMaker
    private var acks: UInt64 = 0
    // The train that is being read.
    private var trains = 0
    private var train = 0
    private var offset = 0
    private var nanos: UInt64 = 0

    /// - Parameters:
    ///   - socket: open at the port that the network's neighbours have.
    ///   - port: of the relay.
    init(_ network: LoadNetwork, socket: consuming LoadSocket, port: UInt16) {
        self.network = network
        self.socket = socket
        relay = load_address(ip: 0x7f00_0001, port: port)
        maker = AckMaker(network)
    }

    mutating func send(_ packet: Region, from link: Int) {
        socket.put(packet, from: LoadNetwork.ip(link), to: relay)
    }

    mutating func acknowledge(_ acknowledgement: Region, from link: Int) {
        maker.add(acknowledgement, from: link)
        acks += 1
    }

    mutating func flush() { socket.flush() }

    mutating func flushAcknowledgements(isIdle: Bool) {
        // Made together they cost less.
        while maker.full >= (isIdle ? 1 : AckMaker.packetsMax) { make(partial: false) }
    }

    mutating func finishAcknowledgements() {
        while maker.waiting > 0 { make(partial: true) }
    }

    private mutating func make(partial: Bool) {
        for made in 0..<maker.make(partial: partial) {
            socket.put(maker.packet(made), from: LoadNetwork.ip(maker.link(made)), to: relay)
        }
        socket.flush()
    }

    mutating func next() throws(LoadError) -> LoadArrival? {
        if train == trains {
            trains = try socket.take()
            train = 0
            nanos = Host.nanos()
            if trains == 0 { return nil }
        }
        let current = socket.train(train)
        let count = min(current.segmentBytes, current.bytes.byteCount - offset)
        let bytes = current.bytes.slice(offset, count)
        offset += count
        if offset == current.bytes.byteCount {
            offset = 0
            train += 1
        }
        return LoadArrival(
            kind: kind(bytes, current.toIP),
            link: network.link(ip: current.toIP) ?? -1,
            bytes: bytes,
            nanos: nanos
        )
    }

    private func kind(_ bytes: Region, _ ip: UInt32) -> LoadArrival.Kind {
        guard bytes.byteCount == network.plan.packetBytes, let link = network.link(ip: ip) else {
            return .other
        }
        return link < network.plan.senders ? .acknowledgements : .packet
    }

    var counts: LinkCounts {
        let counts = socket.counts
        return LinkCounts(
            sent: counts.sent,
            refused: counts.refused,
            received: counts.received,
            dropped: socket.drops,
            acks: acks
        )
    }
}
