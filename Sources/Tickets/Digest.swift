internal import Bytes
internal import Crypto

/// The hashes of tickets in the shapes needed here.
enum Digest {
    /// Keccak-256 of one message.
    @_noLocks
    static func keccak256(_ message: Region, into digest: Region) { fatalError() }

    /// Keccak-256 applied `count` times in place.
    static func keccakIterate(_ value: Region, count: Int) { fatalError() }

    /// hash_to_curve with Keccak-256, x ‖ y.
    static func curvePoint(_ message: [UInt8], domain: Bytes32) -> Bytes64 { fatalError() }

    /// expand_message_xmd with Keccak-256 to 48 bytes, modulo n. Constant time in the message.
    static func scalar(_ message: Region, domain: Bytes32, into scalar: Region) { fatalError() }

    static func commitmentSeed(_ material: Region, into seed: Region) { fatalError() }

    static func keccak256(_ message: [UInt8]) -> Bytes32 { fatalError() }

    static func scalar(_ message: [UInt8], domain: Bytes32) -> Bytes32 {
        var (message, result) = (message, Bytes32())
        message.withRegion { message in
            result.withRegion { scalar(message, domain: domain, into: $0) }
        }
        return result
    }
}
