import Bytes
import Crypto
import Testing

@testable import Node

private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = try Files.makeTemporaryFolder("dray-test")
    defer { Files.removeTree(folder) }
    try body(folder)
}

private let right = SecretBytes(Array("right".utf8))
private let wrong = SecretBytes(Array("wrong".utf8))

@Suite struct KeystoreTests {
    @Test func `keys come back with their passphrase`() throws {
        try withFolder { folder in
            let store = Keystore("\(folder)/keys", cost: .least)
            let made = try store.create(passphrase: right)
            let opened = try store.open(passphrase: right)
            #expect(opened.chainKey.address == made.chainKey.address)
            #expect(opened.packetKeys.map { $0.publicKey } == made.packetKeys.map { $0.publicKey })
            let shown = try store.publicIdentity()
            #expect(shown.chainKey == made.chainKey.publicKey)
        }
    }

    @Test func `a wrong passphrase opens nothing`() throws {
        try withFolder { folder in
            let store = Keystore(folder, cost: .least)
            _ = try store.create(passphrase: right)
            #expect { try store.open(passphrase: wrong) } throws: { error in
                if case .wrongPassphrase = error as? KeystoreError { true } else { false }
            }
            #expect(throws: KeystoreError.self) { try store.rotate(passphrase: wrong) }
            #expect(try store.serials() == [1])
        }
    }

    @Test func `keys are never overwritten`() throws {
        try withFolder { folder in
            let store = Keystore(folder, cost: .least)
            let first = try store.create(passphrase: right)
            #expect { try store.create(passphrase: right) } throws: { error in
                if case .exists = error as? KeystoreError { true } else { false }
            }
            #expect(try store.open(passphrase: right).chainKey.address == first.chainKey.address)
        }
    }

    @Test func `only the owner can read the files, and no secret is in the clear`() throws {
        try withFolder { folder in
            let keys = "\(folder)/keys"
            let identity = try Keystore(keys, cost: .least).create(passphrase: right)
            #expect(Files.permissions(keys) == 0o700)
            for name in ["chain.key", "packet-1.key"] {
                #expect(Files.permissions("\(keys)/\(name)") == 0o600)
                let text = try Files.text("\(keys)/\(name)")
                #expect(!text.contains(Hex.encode(identity.packetKeys[0].seed.array)))
                #expect(!text.contains(Hex.encode(identity.chainKey.secretScalar.array)))
            }
        }
    }

    @Test func `rotation adds the next packet key and keeps the others`() throws {
        try withFolder { folder in
            let store = Keystore(folder, cost: .least)
            let first = try store.create(passphrase: right)
            let second = try store.rotate(passphrase: right)
            #expect(second.packetKeys.count == 2)
            #expect(second.packetKeys[0].publicKey == first.packetKeys[0].publicKey)
            #expect(second.packetKeys[1].publicKey != first.packetKeys[0].publicKey)
            let opened = try store.open(passphrase: right)
            #expect(opened.packetKeys.last?.publicKey == second.packetKeys[1].publicKey)
        }
    }

    @Test func `damaged, swapped and missing files are told apart from a wrong passphrase`() throws
    {
        try withFolder { folder in
            let store = Keystore(folder, cost: .least)
            #expect { try store.open(passphrase: right) } throws: { error in
                if case .missing = error as? KeystoreError { true } else { false }
            }
            _ = try store.create(passphrase: right)
            let chain = "\(folder)/chain.key"
            let packet = "\(folder)/packet-1.key"
            let content = try Files.read(packet)
            for garbage in [
                [], Array("{}".utf8), Array(content.dropLast(9)), try Files.read(chain),
            ] {
                Files.remove(packet)
                try Files.create(packet, garbage)
                #expect { try store.open(passphrase: right) } throws: { error in
                    if case .malformed = error as? KeystoreError { true } else { false }
                }
            }
        }
    }
}
