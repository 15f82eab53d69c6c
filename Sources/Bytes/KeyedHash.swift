/// SipHash-1-3 over words: every table keyed by remote data is addressed through it.
public struct KeyedHash: BitwiseCopyable, Sendable {
    /// The key's first half.
    public var k0: UInt64
    /// The key's second half.
    public var k1: UInt64

    /// Takes 16 random bytes as two words.
    @inlinable
    @_noLocks
    public init(_ k0: UInt64, _ k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    /// Hashes one word.
    @inlinable
    @_noLocks
    public func hash(_ a: UInt64) -> UInt64 {
        var state = SipState(self)
        state.absorb(a)
        return state.finish(length: 8)
    }

    /// Hashes two words.
    @inlinable
    @_noLocks
    public func hash(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var state = SipState(self)
        state.absorb(a)
        state.absorb(b)
        return state.finish(length: 16)
    }

    /// Hashes three words.
    @inlinable
    @_noLocks
    public func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
        var state = SipState(self)
        state.absorb(a)
        state.absorb(b)
        state.absorb(c)
        return state.finish(length: 24)
    }

    /// Hashes four words and a byte.
    @inlinable
    @_noLocks
    public func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ e: UInt8) -> UInt64 {
        var state = SipState(self)
        state.absorb(a)
        state.absorb(b)
        state.absorb(c)
        state.absorb(d)
        return state.finish(length: 33, tail: UInt64(e))
    }
}

@usableFromInline
struct SipState {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64

    @inlinable
    @inline(__always)
    @_noLocks
    init(_ key: KeyedHash) {
        v0 = key.k0 ^ 0x736f_6d65_7073_6575
        v1 = key.k1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.k0 ^ 0x6c79_6765_6e65_7261
        v3 = key.k1 ^ 0x7465_6462_7974_6573
    }

    @inlinable
    @inline(__always)
    @_noLocks
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    @inlinable
    @inline(__always)
    @_noLocks
    mutating func finish(length: UInt64, tail: UInt64 = 0) -> UInt64 {
        absorb(length << 56 | tail)
        v2 ^= 0xff
        round()
        round()
        round()
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inlinable
    @inline(__always)
    @_noLocks
    mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
