import Bytes
import Crypto
import JSON
import Node

extension Verb {
    static let keygen = Verb(
        name: "keygen",
        summary: "make a node's keys, encrypted under a passphrase",
        options: [
            Option(name: "out", value: "DIR", help: "folder for the keys", required: true),
            Option(
                name: "passphrase-file",
                value: "F",
                help: "file whose first line is the passphrase; else DRAY_PASSPHRASE"
            ),
            Option(
                name: "rotate",
                value: nil,
                help: "make the next packet key; a running node announces it"
            ),
        ],
        example: "dray keygen --out /etc/dray/keys --passphrase-file /etc/dray/passphrase",
        run: makeKeys
    )
}

private func makeKeys(_ arguments: Arguments) throws(Failure) {
    let file = arguments["passphrase-file"]
    let passphrase: SecretBytes
    do throws(Passphrase.Problem) {
        passphrase = try Passphrase.find(file: file)
    } catch {
        throw .usage(error.description)
    }
    if let file, Passphrase.isExposed(file) {
        writeLine("dray: warning: \(file) can be read by others")
    }
    let keystore = Keystore(arguments.value("out"))
    let identity: Keystore.Identity
    do throws(KeystoreError) {
        identity =
            arguments.flags.contains("rotate")
            ? try keystore.rotate(passphrase: passphrase)
            : try keystore.create(passphrase: passphrase)
    } catch {
        throw Failure(error)
    }
    report(identity, arguments)
}

private func report(_ identity: Keystore.Identity, _ arguments: Arguments) {
    let address = identity.chainKey.address.hex
    let keys = identity.packetKeys.map { $0.publicKey.hex }
    guard arguments.json else {
        print("chain address  0x\(address)")
        for (index, key) in keys.enumerated() { print("packet key \(index + 1)   \(key)") }
        print("keys are in \(arguments.value("out")); without the passphrase they are lost")
        return
    }
    let document: JSON = [
        "address": .string("0x\(address)"), "packet_keys": .array(keys.map { .string($0) }),
        "folder": .string(arguments.value("out")),
    ]
    print(document)
}

extension Failure {
    /// Missing keys and wrong passphrases are a matter of configuration; a full disk is a failure.
    init(_ error: KeystoreError) {
        switch error {
        case .system, .outOfMemory, .exists: self = .failed(error.description)
        case .missing, .malformed, .wrongPassphrase: self = .usage(error.description)
        }
    }
}
