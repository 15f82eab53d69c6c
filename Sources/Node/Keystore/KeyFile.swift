internal import Bytes
internal import Crypto
internal import JSON

/// One key on disk: what it is, its public half, and the secret under the passphrase.
struct KeyFile {
    enum Kind: String {
        case chain = "chain key"
        case packet = "packet key"
    }

    var kind: Kind
    /// Packet keys are numbered from 1; the chain key is 1.
    var serial: Int
    var publicKey: [UInt8]
    var box: [UInt8]

    /// One line of JSON.
    var text: String {
        let document: JSON = [
            "dray": .string(kind.rawValue), "version": 1, "serial": .integer(serial),
            "public": .string(Hex.encode(publicKey)), "box": .string(Hex.encode(box)),
        ]
        return document.description + "\n"
    }

    init(kind: Kind, serial: Int, publicKey: [UInt8], box: [UInt8]) {
        self.kind = kind
        self.serial = serial
        self.publicKey = publicKey
        self.box = box
    }

    /// Reads what `text` gives; nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard let document = try? JSON.parse(bytes),
            let kind = document["dray"]?.text.flatMap(Kind.init), document["version"]?.integer == 1,
            let serial = document["serial"]?.integer, serial > 0,
            let publicKey = document["public"]?.text.flatMap({ Hex.decode($0) }),
            let box = document["box"]?.text.flatMap({ Hex.decode($0) })
        else { return nil }
        self.init(kind: kind, serial: serial, publicKey: publicKey, box: box)
    }
}
