internal import Bytes

/// What the relay sent to one of its neighbours.
struct LoadArrival {
    enum Kind {
        case packet
        case acknowledgements
        case other
    }

    var kind: Kind
    /// The neighbour.
    var link: Int
    /// A packet; valid until the next arrival is taken.
    var bytes: Region
    /// When it was taken from the kernel.
    var nanos: UInt64
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
    /// Acknowledgements sent.
    var acks: UInt64 = 0
}

/// How the relay's neighbours talk to it: the one place of the generator that knows the link.
protocol LoadLink: ~Copyable {
    /// Queues a packet of a neighbour; its bytes must stay until `flush`.
    mutating func send(_ packet: Region, from link: Int)
    /// Queues an acknowledgement of a neighbour: 96 bytes, which are copied.
    mutating func acknowledge(_ acknowledgement: Region, from link: Int)
    /// Sends the packets that are queued.
    mutating func flush()
    /// Sends acknowledgements that are due.
    ///
    /// - Parameter isIdle: nothing else is to be done now, so that they may take their time.
    mutating func flushAcknowledgements(isIdle: Bool)
    /// Sends all acknowledgements that are queued.
    mutating func finishAcknowledgements()
    /// The next thing that came; nil if there is none now.
    mutating func next() throws(LoadError) -> LoadArrival?
    /// What went over the links so far.
    var counts: LinkCounts { get }
}
