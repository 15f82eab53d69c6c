public import Bytes
internal import CSodium

/// Randomness of the operating system.
public enum Random {
    /// Fills `region` with unpredictable bytes. A system call: not for the packet path.
    @_semantics("no_performance_analysis")
    public static func fill(_ region: Region) {
        Sodium.start()
        unsafe randombytes_buf(region.base, region.byteCount)
    }

    /// Unpredictable bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        result.withRegion { fill($0) }
        return result
    }

    /// 32 unpredictable bytes.
    public static func bytes32() -> Bytes32 {
        var result = Bytes32()
        result.withRegion { fill($0) }
        return result
    }
}

/// A worker's own generator: ChaCha20 with fast key erasure, so that what was handed out cannot be
/// computed from what is in memory later.
///
/// State lives in memory of the owner; one thread uses it.
@safe
public struct RandomStream: ~Copyable {
    /// Bytes of state.
    public static let byteCount = 1024

    private let block: Region
    private var used: Int

    /// Starts from a 32-byte seed, which is erased.
    public init(in region: Region, seed: Region) {
        precondition(region.byteCount >= RandomStream.byteCount && seed.byteCount == 32)
        block = region.slice(0, RandomStream.byteCount)
        block.slice(0, 32).copy(seed, to: 0)
        zeroize(seed)
        used = RandomStream.byteCount
    }

    /// Mixes 32 bytes into the key: what comes next depends on both.
    @_noLocks
    public mutating func mix(seed: Region) {
        for index in 0..<32 {
            block.store(block.byte(index) ^ seed.byte(index), index)
        }
        refill()
    }

    /// Unpredictable bytes.
    @_noLocks
    public mutating func fill(_ region: Region) {
        var done = 0
        while done < region.byteCount {
            if used == RandomStream.byteCount { refill() }
            let count = min(region.byteCount - done, RandomStream.byteCount - used)
            let piece = block.slice(used, count)
            region.copy(piece, to: done)
            piece.fill(0)
            used += count
            done += count
        }
    }

    /// An unpredictable number.
    @_noLocks
    public mutating func next() -> UInt64 {
        if used > RandomStream.byteCount - 8 { refill() }
        let value: UInt64 = block.load(used)
        block.slice(used, 8).fill(0)
        used += 8
        return value
    }

    /// A number in `0..<bound` without bias that matters: at most bound / 2^64.
    @_noLocks
    public mutating func next(below bound: UInt64) -> UInt64 {
        next().multipliedFullWidth(by: bound).high
    }

    // The first 32 bytes of each block are the next key.
    @_noLocks
    private mutating func refill() {
        chaChaStream(key: block.slice(0, 32), into: block)
        used = 32
    }
}

// Overwrites `block` with keystream under a key that may lie inside it. The nonce may stay zero:
// every key is used once.
@_semantics("no_performance_analysis")
private func chaChaStream(key: Region, into block: Region) {
    var copy: Bytes32 = key.load(0)
    let nonce = FixedBytes<8>()
    unsafe copy.withMutablePointer { key in
        unsafe nonce.withPointer { nonce in
            _ = unsafe crypto_stream_chacha20(block.octets, UInt64(block.byteCount), nonce, key)
        }
        unsafe sodium_memzero(key, 32)
    }
}
