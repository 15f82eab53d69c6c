internal import Bytes
public import Crypto

/// What a node is on its links: its packet key as an X25519 key, and what others prove with it
/// that they know it. Wiped when released.
public final class LinkIdentity: Sendable {
    private let memory: SecretBytes

    /// The identity of the node with a packet key.
    public init(_ key: PacketKey) {
        memory = SecretBytes(count: 128)
        X25519.makeSecret(signingKey: key.signingKey, into: memory.region.slice(0, 32))
        finish()
    }

    /// The identity of an X25519 secret; for tests.
    init(secret: Region) {
        memory = SecretBytes(count: 128)
        memory.region.copy(secret, to: 0)
        finish()
    }

    private func finish() {
        X25519.makePublicKey(secret: secret, into: publicKey)
        LinkMac.makeKeys(of: publicKey, into: memory.region.slice(64, 64))
    }

    var secret: Region { memory.region.slice(0, 32) }
    var publicKey: Region { memory.region.slice(32, 32) }
    /// Key of the first MAC of what is sent to this node.
    var macKey: Region { memory.region.slice(64, 32) }
    /// Key that this node's cookies are sealed under.
    var cookieKey: Region { memory.region.slice(96, 32) }
}
