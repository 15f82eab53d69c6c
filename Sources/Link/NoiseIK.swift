internal import Bytes
internal import Crypto

/// One handshake of Noise_IK_25519_ChaChaPoly_BLAKE2b, either side, with memory of its owner.
///
/// The initiator knows the responder's static key. Two messages:
///
///     -> e, es, s, ss    ephemeral 32 ‖ sealed static 48 ‖ sealed payload
///     <- e, ee, se       ephemeral 32 ‖ sealed payload
///
/// Each call follows the one before; after one that fails the state is worth nothing, so what may
/// fail for a stranger's sake is tried on a copy. Every key is used for one message: counters are
/// zero.
///
/// - Source: the Noise Protocol Framework, revision 34, sections 5 and 7.5.
struct NoiseIK: ~Copyable {
    /// Bytes of memory.
    static var byteCount: Int { 448 }
    /// Bytes of the first message besides the payload.
    static var initiationBytes: Int { 96 }
    /// Bytes of the second message besides the payload.
    static var responseBytes: Int { 48 }

    private let memory: Region
    private var chain: Region { memory.slice(0, 64) }
    private var hash: Region { memory.slice(64, 64) }
    private var key: Region { memory.slice(128, 32) }
    private var ephemeralSecret: Region { memory.slice(160, 32) }
    private var remoteEphemeral: Region { memory.slice(192, 32) }
    private var shared: Region { memory.slice(224, 32) }
    /// The initiator's static key, as the responder learns it.
    var remoteStatic: Region { memory.slice(256, 32) }
    private var room: Region { memory.slice(288, 160) }

    /// Begins a handshake with the prologue and the responder's static key, which both sides know.
    init(in memory: Region, prologue: Region, responder: Region) {
        self.memory = memory.slice(0, NoiseIK.byteCount)
        memory.slice(0, NoiseIK.byteCount).fill(0)
        var name = Array("Noise_IK_25519_ChaChaPoly_BLAKE2b".utf8)
        name.withRegion { hash.copy($0, to: 0) }
        chain.copy(hash, to: 0)
        mixHash(prologue)
        mixHash(responder)
    }

    /// The handshake whose state is in `memory`.
    init(resuming memory: Region) { self.memory = memory.slice(0, NoiseIK.byteCount) }

    /// Puts the state where another may go on with it.
    func copy(to other: Region) { other.copy(memory, to: 0) }

    /// Overwrites the state with zeros.
    func wipe() { zeroize(memory) }

    /// The hash of all that was said: 64 bytes, equal on both sides after the second message.
    var handshakeHash: Region { hash }

    // MARK: First message

    /// Writes the first message: `payload` and 96 bytes more. False if a key is not to be used.
    func writeInitiation(
        _ payload: Region,
        ephemeral: Region,
        identity: LinkIdentity,
        responder: Region,
        into message: Region
    ) -> Bool {
        ephemeralSecret.copy(ephemeral, to: 0)
        let publicKey = message.slice(0, 32)
        X25519.makePublicKey(secret: ephemeralSecret, into: publicKey)
        mixHash(publicKey)
        guard mixKey(ephemeralSecret, responder) else { return false }
        seal(identity.publicKey, into: message.slice(32, 48))
        guard mixKey(identity.secret, responder) else { return false }
        seal(payload, into: message.slice(80, payload.byteCount + 16))
        return true
    }

    /// Reads the first message up to the initiator's static key; false if it was not made for this
    /// prologue and this responder.
    func readStatic(_ message: Region, identity: LinkIdentity) -> Bool {
        remoteEphemeral.copy(message.slice(0, 32), to: 0)
        mixHash(remoteEphemeral)
        guard mixKey(identity.secret, remoteEphemeral) else { return false }
        return open(message.slice(32, 48), into: remoteStatic)
    }

    /// Reads the rest of it; false if the initiator does not have its static key.
    func readPayload(_ message: Region, identity: LinkIdentity, into payload: Region) -> Bool {
        guard mixKey(identity.secret, remoteStatic) else { return false }
        return open(message.slice(80, payload.byteCount + 16), into: payload)
    }

    // MARK: Second message

    /// Writes the second message: `payload` and 48 bytes more. False if a key is not to be used.
    func writeResponse(_ payload: Region, ephemeral: Region, into message: Region) -> Bool {
        ephemeralSecret.copy(ephemeral, to: 0)
        let publicKey = message.slice(0, 32)
        X25519.makePublicKey(secret: ephemeralSecret, into: publicKey)
        mixHash(publicKey)
        guard mixKey(ephemeralSecret, remoteEphemeral), mixKey(ephemeralSecret, remoteStatic)
        else { return false }
        seal(payload, into: message.slice(32, payload.byteCount + 16))
        return true
    }

    /// Reads the second message; false if it is not the responder's answer to ours.
    func readResponse(_ message: Region, identity: LinkIdentity, into payload: Region) -> Bool {
        remoteEphemeral.copy(message.slice(0, 32), to: 0)
        mixHash(remoteEphemeral)
        guard mixKey(ephemeralSecret, remoteEphemeral), mixKey(identity.secret, remoteEphemeral)
        else { return false }
        return open(message.slice(32, payload.byteCount + 16), into: payload)
    }

    /// `keys` (64 B) := what this side seals with, then what it opens with.
    func split(into keys: Region, isInitiator: Bool) {
        expand(room.slice(0, 0))
        keys.copy(room.slice(64, 32), to: isInitiator ? 0 : 32)
        // The second output is cut from its own 64 bytes.
        keys.copy(key, to: isInitiator ? 32 : 0)
    }

    // MARK: Symmetric state

    private func mixHash(_ data: Region) { Blake2b.hash(hash, data, into: hash) }

    private func mixKey(_ secret: Region, _ publicKey: Region) -> Bool {
        guard X25519.share(secret: secret, publicKey: publicKey, into: shared) else { return false }
        expand(shared)
        chain.copy(room.slice(64, 64), to: 0)
        return true
    }

    /// HKDF of the chaining key and `input`: the first output to `room` 64..<128, the first half of
    /// the second to `key`.
    private func expand(_ input: Region) {
        let extracted = room.slice(0, 64)
        let first = room.slice(64, 65)
        Blake2b.hmac(input, key: chain, into: extracted)
        first.store(UInt8(1), 0)
        Blake2b.hmac(first.slice(0, 1), key: extracted, into: first.slice(0, 64))
        first.store(UInt8(2), 64)
        Blake2b.hmac(first, key: extracted, into: extracted)
        key.copy(extracted.slice(0, 32), to: 0)
    }

    private func seal(_ text: Region, into out: Region) {
        ChaChaPoly.seal(text, data: hash, key: key, counter: 0, into: out)
        mixHash(out)
    }

    private func open(_ text: Region, into out: Region) -> Bool {
        guard ChaChaPoly.open(text, data: hash, key: key, counter: 0, into: out) else {
            return false
        }
        mixHash(text)
        return true
    }
}
