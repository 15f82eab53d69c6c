public import Bytes

/// The worker's end of its ring of handshakes: datagrams for the link desk.
public struct StrangerWriter: Sendable {
    private var ring: RingWriter

    /// Writes into the ring in `region`.
    public init(_ region: Region) { ring = RingWriter(region) }

    /// Hands a datagram on; false if the ring is full.
    @_noLocks
    public mutating func put(_ datagram: Region, from source: Endpoint) -> Bool {
        let head = StrangerReader.headBytes
        guard let record = ring.begin(kind: 1, head + datagram.byteCount) else { return false }
        record.store(source.address, 0)
        record.store(source.port, 16)
        record.store(source.family, 18)
        record.copy(datagram, to: head)
        ring.end()
        return true
    }
}

/// The link desk's end.
public struct StrangerReader: Sendable {
    static var headBytes: Int { @_noLocks get { 24 } }
    private var ring: RingReader

    /// Reads from the ring in `region`.
    public init(_ region: Region) { ring = RingReader(region) }

    /// The oldest datagram and its sender, which stay until `release`; nil if there is none.
    public mutating func next() -> (datagram: Region, source: Endpoint)? {
        guard let record = ring.next() else { return nil }
        let head = StrangerReader.headBytes
        let source = Endpoint(
            family: record.byte(18),
            address: record.load(0),
            port: record.load(16)
        )
        return (record.slice(head, record.byteCount - head), source)
    }

    /// Gives the datagram's memory back.
    public mutating func release() { ring.release() }
}
