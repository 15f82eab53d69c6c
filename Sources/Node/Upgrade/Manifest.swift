internal import Bytes
internal import Crypto
internal import Datapath

/// What a program leaves to the next one, in memory that the next one inherits: descriptors, and
/// four parts of bytes.
///
/// The head and the first part never change their form: whatever else a program cannot read, it can
/// keep the port, close the rest, and say which tickets are lost.
struct Manifest {
    /// What a descriptor is of.
    enum Kind: UInt32 {
        case socket = 0
        case memory = 1
    }

    struct Descriptor: Equatable {
        var kind: Kind
        var number: Int32
    }

    private enum Field {
        // Mark, number of descriptors, bytes of the parts, digest of all, itself taken as zeros.
        static let mark = 0
        static let count = 8
        static let parts = 12
        static let digest = 32
        static let end = 64
        static let descriptorsMax = 1_024
    }

    // "DrayHand"
    private static let mark: UInt64 = 0x646e_6148_7961_7244

    var descriptors: [Descriptor] = []
    /// What every program can read (`HandoverNote`).
    var note: [UInt8] = []
    /// All else but keys and snapshot (`HandoverState`).
    var state: [UInt8] = []
    /// Keys.
    var keys = SecretBytes(count: 0)
    /// A snapshot for the workers; with keys in it.
    var snapshot = Memory(0)

    init() {}

    // MARK: writing

    /// Memory with all of it, to be inherited.
    func write() throws(DatapathError) -> SharedPages {
        let sizes = [note.count, state.count, keys.count, snapshot.region.byteCount]
        let start = Field.end + 8 * descriptors.count
        let total = sizes.reduce(start) { $0 + Self.padded($1) }
        let pages = try SharedPages(total, wide: false)
        let all = pages.region
        all.store(Self.mark, Field.mark)
        all.store(UInt32(descriptors.count), Field.count)
        for (place, size) in sizes.enumerated() { all.store(UInt32(size), Field.parts + 4 * place) }
        for (place, descriptor) in descriptors.enumerated() {
            all.store(descriptor.kind.rawValue, Field.end + 8 * place)
            all.store(descriptor.number, Field.end + 8 * place + 4)
        }
        var offset = start
        all.store(bytes: note, offset)
        offset += Self.padded(note.count)
        all.store(bytes: state, offset)
        offset += Self.padded(state.count)
        keys.withRegion { all.copy($0, to: offset) }
        offset += Self.padded(keys.count)
        all.copy(snapshot.region, to: offset)
        all.store(Self.digest(all.slice(0, total)), Field.digest)
        return pages
    }

    private static func padded(_ count: Int) -> Int { (count + 63) & ~63 }

    // MARK: reading

    /// Reads what `write` wrote; nil if it is damaged. Secrets in `pages` are wiped.
    init?(_ pages: SharedPages) {
        let all = pages.region
        defer { zeroize(all) }
        guard all.byteCount >= Field.end, all.load(Field.mark) as UInt64 == Self.mark else {
            return nil
        }
        let count = Int(all.load(Field.count) as UInt32)
        let sizes = (0..<4).map { Int(all.load(Field.parts + 4 * $0) as UInt32) }
        let start = Field.end + 8 * count
        let total = sizes.reduce(start) { $0 + Self.padded($1) }
        guard count <= Field.descriptorsMax, total <= all.byteCount,
            Self.isWhole(all.slice(0, total))
        else { return nil }
        for place in 0..<count {
            guard let kind = Kind(rawValue: all.load(Field.end + 8 * place)) else { return nil }
            let number: Int32 = all.load(Field.end + 8 * place + 4)
            descriptors.append(Descriptor(kind: kind, number: number))
        }
        var offset = start
        let parts = sizes.map { size in
            defer { offset += Self.padded(size) }
            return all.slice(offset, size)
        }
        note = parts[0].array
        state = parts[1].array
        keys = SecretBytes(copying: parts[2])
        snapshot = Memory(parts[3].byteCount)
        snapshot.region.copy(parts[3], to: 0)
    }

    private static func isWhole(_ all: Region) -> Bool {
        var written: Bytes32 = all.load(Field.digest)
        all.store(Bytes32(), Field.digest)
        var digest = digest(all)
        return written.withRegion { written in
            digest.withRegion { constantTimeEqual($0, written) }
        }
    }

    /// Of memory whose place for the digest is zeros.
    private static func digest(_ all: Region) -> Bytes32 {
        var digest = Bytes32()
        digest.withRegion { Hash.keccak256(all, into: $0) }
        return digest
    }
}
