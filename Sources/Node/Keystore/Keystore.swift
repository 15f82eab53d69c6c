public import Bytes
public import Crypto
internal import Glibc

/// Why keys could not be made or opened.
public enum KeystoreError: Error, CustomStringConvertible {
    /// The folder holds keys already; they are never overwritten.
    case exists(String)
    /// There are no keys.
    case missing(String)
    /// A file is damaged, or no key file at all.
    case malformed(String)
    /// The passphrase does not open this file.
    case wrongPassphrase(String)
    /// Not enough memory to turn the passphrase into a key.
    case outOfMemory
    /// The disk refused.
    case system(SystemError)

    /// One line.
    public var description: String {
        switch self {
        case .exists(let path): "\(path) exists; keys are never overwritten"
        case .missing(let path): "\(path): no keys here; make them with dray keygen --out \(path)"
        case .malformed(let path): "\(path): damaged, or not a key file of this version"
        case .wrongPassphrase(let path): "\(path): wrong passphrase"
        case .outOfMemory: "not enough memory to open the keys"
        case .system(let error): error.description
        }
    }
}

/// The folder with a node's keys, each in a file of its own, encrypted under one passphrase.
public struct Keystore: Sendable {
    /// The opened keys.
    public struct Identity: Sendable {
        /// Signs tickets and requests.
        public var chainKey: ChainKey
        /// Peel packets; oldest first, the last one is announced.
        public var packetKeys: [PacketKey]
    }

    /// What can be seen without the passphrase.
    public struct PublicIdentity: Sendable {
        /// The chain key's public half.
        public var chainKey: Bytes33
        /// The packet keys' public halves, oldest first.
        public var packetKeys: [Bytes32]
    }

    /// Where the files are.
    public let folder: String
    private let cost: SecretBox.Cost

    /// Names a folder; touches nothing. `cost` is for new files.
    public init(_ folder: String, cost: SecretBox.Cost = .moderate) {
        self.folder = folder
        self.cost = cost
    }

    private var chainPath: String { "\(folder)/chain.key" }
    private func packetPath(_ serial: Int) -> String { "\(folder)/packet-\(serial).key" }

    /// Makes a chain key and a first packet key. The folder must not hold keys.
    public func create(passphrase: SecretBytes) throws(KeystoreError) -> Identity {
        try attempt { () throws(SystemError) in try Files.makeFolder(folder) }
        for path in [chainPath, packetPath(1)] where Files.exists(path) { throw .exists(path) }
        let identity = Identity(chainKey: .random(), packetKeys: [.random()])
        try write(identity.chainKey, passphrase)
        do throws(KeystoreError) {
            try write(identity.packetKeys[0], serial: 1, passphrase)
        } catch {
            Files.remove(chainPath)
            throw error
        }
        return identity
    }

    /// Makes the next packet key, under the same passphrase. A running node finds it and announces
    /// it.
    public func rotate(passphrase: SecretBytes) throws(KeystoreError) -> Identity {
        var identity = try open(passphrase: passphrase)
        let key = PacketKey.random()
        try write(key, serial: (try serials().last ?? 0) + 1, passphrase)
        identity.packetKeys.append(key)
        return identity
    }

    /// Opens all keys.
    public func open(passphrase: SecretBytes) throws(KeystoreError) -> Identity {
        let serials = try serials()
        guard Files.exists(chainPath), !serials.isEmpty else { throw .missing(folder) }
        let chain = try read(chainPath, .chain, 1)
        let secret = try unlock(chain, chainPath, passphrase)
        guard secret.count == ChainKey.secretBytes,
            let chainKey = withExtendedLifetime(secret, { ChainKey(secret: secret.region) }),
            chainKey.publicKey.array == chain.publicKey
        else { throw .malformed(chainPath) }
        var packetKeys: [PacketKey] = []
        for serial in serials {
            packetKeys.append(try openPacketKey(serial, passphrase))
        }
        return Identity(chainKey: chainKey, packetKeys: packetKeys)
    }

    /// Reads the public halves; no passphrase is needed, and nothing is proven.
    public func publicIdentity() throws(KeystoreError) -> PublicIdentity {
        let serials = try serials()
        guard Files.exists(chainPath), !serials.isEmpty else { throw .missing(folder) }
        guard let chain = Bytes33(try read(chainPath, .chain, 1).publicKey) else {
            throw .malformed(chainPath)
        }
        var packetKeys: [Bytes32] = []
        for serial in serials {
            let path = packetPath(serial)
            guard let key = Bytes32(try read(path, .packet, serial).publicKey) else {
                throw .malformed(path)
            }
            packetKeys.append(key)
        }
        return PublicIdentity(chainKey: chain, packetKeys: packetKeys)
    }

    /// Numbers of the packet keys on disk, ascending.
    public func serials() throws(KeystoreError) -> [Int] {
        guard Files.isFolder(folder) else { throw .missing(folder) }
        let names = try attempt { () throws(SystemError) in try Files.list(folder) }
        return names.compactMap { name in
            guard name.hasPrefix("packet-"), name.hasSuffix(".key") else { return nil }
            return Int(name.dropFirst(7).dropLast(4))
        }.sorted()
    }

    private func openPacketKey(
        _ serial: Int,
        _ passphrase: SecretBytes
    ) throws(KeystoreError) -> PacketKey {
        let path = packetPath(serial)
        let file = try read(path, .packet, serial)
        let seed = try unlock(file, path, passphrase)
        guard seed.count == PacketKey.seedBytes else { throw .malformed(path) }
        let key = withExtendedLifetime(seed) { PacketKey(seed: seed.region) }
        guard key.publicKey.array == file.publicKey else { throw .malformed(path) }
        return key
    }

    private func read(
        _ path: String,
        _ kind: KeyFile.Kind,
        _ serial: Int
    ) throws(KeystoreError) -> KeyFile {
        let bytes = try attempt { () throws(SystemError) in try Files.read(path, limit: 65_536) }
        guard let file = KeyFile(bytes), file.kind == kind, file.serial == serial else {
            throw .malformed(path)
        }
        return file
    }

    private func unlock(
        _ file: KeyFile,
        _ path: String,
        _ passphrase: SecretBytes
    ) throws(KeystoreError) -> SecretBytes {
        do throws(SecretBoxError) {
            return try SecretBox.open(file.box, passphrase: passphrase)
        } catch {
            switch error {
            case .malformed: throw .malformed(path)
            case .wrongPassphrase: throw .wrongPassphrase(path)
            case .outOfMemory: throw .outOfMemory
            }
        }
    }

    private func write(_ key: ChainKey, _ passphrase: SecretBytes) throws(KeystoreError) {
        let file = KeyFile(
            kind: .chain,
            serial: 1,
            publicKey: key.publicKey.array,
            box: try seal(key.secretScalar, passphrase)
        )
        try create(chainPath, file)
    }

    private func write(
        _ key: PacketKey,
        serial: Int,
        _ passphrase: SecretBytes
    ) throws(KeystoreError) {
        let file = KeyFile(
            kind: .packet,
            serial: serial,
            publicKey: key.publicKey.array,
            box: try seal(key.seed, passphrase)
        )
        try create(packetPath(serial), file)
    }

    private func create(_ path: String, _ file: KeyFile) throws(KeystoreError) {
        try attempt { () throws(SystemError) in try Files.create(path, Array(file.text.utf8)) }
    }

    private func seal(_ secret: Region, _ passphrase: SecretBytes) throws(KeystoreError) -> [UInt8]
    {
        do throws(SecretBoxError) {
            return try SecretBox.seal(
                SecretBytes(copying: secret),
                passphrase: passphrase,
                cost: cost
            )
        } catch {
            throw .outOfMemory
        }
    }

    private func attempt<R>(_ body: () throws(SystemError) -> R) throws(KeystoreError) -> R {
        do throws(SystemError) {
            return try body()
        } catch {
            if error.number == EEXIST { throw .exists(error.subject) }
            throw .system(error)
        }
    }
}
