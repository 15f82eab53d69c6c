internal import Bytes
public import Datapath

/// Where a peer is: written by whoever hears it from elsewhere, read by all.
///
/// There are two places; the version's low bit says which one counts. A writer, one at a time,
/// fills the other and raises the version. A reader that finds the version unchanged behind it has
/// read one whole endpoint, and a writer that is stopped half-way keeps nobody waiting.
extension LinkTable {
    /// Where datagrams for the peer go; nil while that is not known.
    @_noLocks
    public func endpoint(_ row: UInt32) -> DatagramAddress? {
        guard let words = endpointWords(row), words.family != 0 else { return nil }
        return words.address
    }

    @_noLocks
    private func endpointWords(_ row: UInt32) -> EndpointWords? {
        let version = cell(row, RowCell.endpointVersion)
        // The endpoint would have to change as often while it is read.
        for _ in 0..<8 {
            let before = rows.loadAcquiring(version)
            let place = endpointPlace(row, before)
            let words = EndpointWords(
                rows.loadAcquiring(place),
                rows.loadAcquiring(place + 1),
                rows.loadAcquiring(place + 2)
            )
            if rows.loadAcquiring(version) == before { return words }
        }
        return nil
    }

    @_noLocks
    private func endpointPlace(_ row: UInt32, _ version: UInt64) -> Int {
        cell(row, RowCell.endpoints) + (version & 1 == 0 ? 0 : 4)
    }

    /// The peer was heard from `source`: it is there from now on, unless a newer datagram came from
    /// elsewhere. Gives way to another writer; the next datagram tries again.
    @_noLocks
    func roam(_ row: UInt32, to source: DatagramAddress, sequence: UInt32, counter: UInt64) {
        let new = EndpointWords(source)
        if let now = endpointWords(row), now.equals(new) { return }
        _ = setEndpoint(row, new, sequence: UInt64(sequence), counter: counter)
    }

    /// Writes the endpoint, unless a later datagram has; false while somebody else writes.
    @_noLocks
    func setEndpoint(
        _ row: UInt32,
        _ new: EndpointWords,
        sequence: UInt64,
        counter: UInt64
    ) -> Bool {
        guard lockEndpoint(row) else { return false }
        let sequenceThen = rows.load(cell(row, RowCell.endpointSequence))
        let counterThen = rows.load(cell(row, RowCell.endpointCounter))
        if (sequence, counter) >= (sequenceThen, counterThen) {
            writeEndpoint(row, new)
            rows.store(sequence, cell(row, RowCell.endpointSequence))
            rows.store(counter, cell(row, RowCell.endpointCounter))
        }
        unlockEndpoint(row)
        return true
    }

    /// Writes the endpoint, until a datagram comes from elsewhere; false while somebody else
    /// writes.
    func setEndpoint(_ row: UInt32, _ new: EndpointWords) -> Bool {
        guard lockEndpoint(row) else { return false }
        writeEndpoint(row, new)
        unlockEndpoint(row)
        return true
    }

    // Writers alone take the lock, and give up when it is taken.
    @_noLocks
    private func lockEndpoint(_ row: UInt32) -> Bool {
        rows.exchange(cell(row, RowCell.endpointLock), expected: 0, desired: 1)
    }

    @_noLocks
    private func unlockEndpoint(_ row: UInt32) {
        rows.storeReleasing(0, cell(row, RowCell.endpointLock))
    }

    @_noLocks
    private func writeEndpoint(_ row: UInt32, _ new: EndpointWords) {
        let version = rows.load(cell(row, RowCell.endpointVersion)) &+ 1
        let place = endpointPlace(row, version)
        rows.storeReleasing(new.high, place)
        rows.storeReleasing(new.low, place + 1)
        rows.storeReleasing(new.rest, place + 2)
        rows.storeReleasing(version, cell(row, RowCell.endpointVersion))
    }
}

/// A datagram's address as three words.
struct EndpointWords: BitwiseCopyable {
    let high: UInt64
    let low: UInt64
    /// Port, and the family above it.
    let rest: UInt64

    @_noLocks
    init(_ high: UInt64, _ low: UInt64, _ rest: UInt64) {
        self.high = high
        self.low = low
        self.rest = rest
    }

    @_noLocks
    init(_ address: DatagramAddress) {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            high = high << 8 | UInt64(address.address[index])
            low = low << 8 | UInt64(address.address[8 + index])
        }
        self.init(high, low, UInt64(address.family) << 16 | UInt64(address.port))
    }

    var family: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: rest >> 16) } }

    var address: DatagramAddress {
        @_noLocks
        get {
            var bytes = Bytes16()
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                bytes[index] = UInt8(truncatingIfNeeded: high >> shift)
                bytes[8 + index] = UInt8(truncatingIfNeeded: low >> shift)
            }
            return DatagramAddress(
                family: family,
                address: bytes,
                port: UInt16(truncatingIfNeeded: rest)
            )
        }
    }

    @_noLocks
    func equals(_ other: EndpointWords) -> Bool {
        high == other.high && low == other.low && rest == other.rest
    }
}
