internal import Bytes

/// When an initiation was made, by its sender's clock: seconds since 1970 and nanoseconds,
/// big-endian, as coarse as the clock of a stranger should be told.
struct Timestamp: Equatable {
    let seconds: UInt64
    let nanos: UInt32

    init(seconds: UInt64, nanos: UInt32) {
        self.seconds = seconds
        self.nanos = nanos
    }

    /// From nanoseconds since 1970, without the lowest 24 bits of the second's.
    init(wallNanos: UInt64) {
        seconds = wallNanos / 1_000_000_000
        nanos = UInt32(wallNanos % 1_000_000_000) & ~0xff_ffff
    }

    /// Reads the first 12 bytes.
    init(_ bytes: Region) {
        seconds = bytes.bigEndian(0, count: 8)
        nanos = UInt32(bytes.bigEndian(8, count: 4))
    }

    func write(to bytes: Region) {
        bytes.storeBigEndian(seconds, 0, count: 8)
        bytes.storeBigEndian(UInt64(nanos), 8, count: 4)
    }

    func isAfter(_ other: Timestamp) -> Bool {
        (seconds, nanos) > (other.seconds, other.nanos)
    }

    /// The least that is later.
    var next: Timestamp {
        nanos == .max
            ? Timestamp(seconds: seconds + 1, nanos: 0)
            : Timestamp(seconds: seconds, nanos: nanos + 1)
    }
}

extension LinkTable {
    /// The newest timestamp of the peer's initiations.
    func timestamp(_ row: UInt32) -> Timestamp {
        Timestamp(
            seconds: rows.load(cell(row, RowCell.timestamp)),
            nanos: UInt32(rows.load(cell(row, RowCell.timestamp + 1)))
        )
    }

    func setTimestamp(_ row: UInt32, _ timestamp: Timestamp) {
        rows.store(timestamp.seconds, cell(row, RowCell.timestamp))
        rows.store(UInt64(timestamp.nanos), cell(row, RowCell.timestamp + 1))
    }
}
