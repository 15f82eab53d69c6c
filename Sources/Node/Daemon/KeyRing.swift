internal import Bytes
internal import Chain
internal import Channels
internal import Crypto
internal import Exchange
internal import Synchronization

/// The node's keys while it runs, and the passphrase that opens the next ones.
final class KeyRing: Sendable {
    let chainKey: ChainKey
    private let store: Keystore
    private let passphrase: SecretBytes
    private let packetKeys: Mutex<[PacketKey]>

    init(_ configuration: Configuration, logger: Logger) throws(StartError) {
        let file = configuration.node.passphraseFile
        do throws(Passphrase.Problem) {
            passphrase = try Passphrase.find(file: file)
        } catch {
            throw .wrong(error.description)
        }
        if let file, Passphrase.isExposed(file) {
            logger.log(.warning, "\(file) can be read by others")
        }
        store = Keystore(configuration.node.keys)
        do throws(KeystoreError) {
            let identity = try store.open(passphrase: passphrase)
            chainKey = identity.chainKey
            packetKeys = Mutex(identity.packetKeys)
        } catch {
            throw StartError(error)
        }
    }

    /// The keys that another program had open.
    init(_ configuration: Configuration, handed: HandedKeys) {
        passphrase = handed.passphrase
        chainKey = handed.chainKey
        packetKeys = Mutex(handed.packetKeys)
        store = Keystore(configuration.node.keys)
    }

    /// What another program needs to go on with these keys.
    var handed: HandedKeys {
        HandedKeys(
            passphrase: passphrase,
            chainKey: chainKey,
            packetKeys: packetKeys.withLock { $0 }
        )
    }

    /// The key that is to be announced.
    var newest: PacketKey? { packetKeys.withLock { $0.last } }

    /// Takes in keys that appeared in the folder; true if there were any.
    func reload() throws(KeystoreError) -> Bool {
        let count = packetKeys.withLock { $0.count }
        guard try store.serials().count > count else { return false }
        let identity = try store.open(passphrase: passphrase)
        packetKeys.withLock { $0 = identity.packetKeys }
        return true
    }

    /// The packet keys of identities, in their order.
    func packetKeys(of identities: [PacketIdentity]) -> [PacketKey] {
        packetKeys.withLock { keys in
            identities.compactMap { identity in
                keys.first { $0.publicKey == identity.publicKey }
            }
        }
    }

    /// Our registered keys whose secret we hold, newest first: at most the current and one before
    /// it.
    func identities(_ own: [RegisteredNode]) -> [PacketIdentity] {
        packetKeys.withLock { keys in
            let pairs = own.compactMap { node in
                keys.first { $0.publicKey == node.packetKey }.map { (node.keyID, $0) }
            }
            return pairs.prefix(2).map { keyID, key in
                withExtendedLifetime(key) {
                    PacketIdentity(
                        keyID: keyID,
                        publicKey: key.publicKey,
                        scalar: key.scalar.load(0),
                        secretKey: key.signingKey.load(0)
                    )
                }
            }
        }
    }
}
