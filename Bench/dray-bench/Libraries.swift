import CSecp256k1
import CSodium
import Harness

/// What a relayed packet costs when it is put together from the libraries' own calls, one packet at
/// a time: the operations of `relay.whole` in their order, with libsodium's Edwards multiplication
/// (which refuses small orders) and BLAKE2b where the format has BLAKE3.
@safe
private final class LibraryBench {
    private let context: OpaquePointer
    private var point = [UInt8](repeating: 0, count: 32)
    private var next = [UInt8](repeating: 0, count: 32)
    private var scalar = [UInt8](repeating: 1, count: 32)
    private var digest = [UInt8](repeating: 2, count: 64)
    private var payload = [UInt8](repeating: 3, count: 1_008)
    private let nonce = [UInt8](repeating: 4, count: 12)
    private let chainKey = [UInt8](repeating: 5, count: 32)
    private var edPublic = [UInt8](repeating: 0, count: 32)
    private var edSecret = [UInt8](repeating: 0, count: 64)
    private var edSignature = [UInt8](repeating: 0, count: 64)
    private var issuer = secp256k1_pubkey()
    private var ticket = secp256k1_ecdsa_recoverable_signature()
    private var hint = [UInt8](repeating: 0, count: 33)

    /// Puts X25519, which tests no subgroup, in the place of the Edwards multiplication.
    private let isPlain: Bool

    init(isPlain: Bool) {
        self.isPlain = isPlain
        guard let made = unsafe secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            fatalError("no context")
        }
        unsafe context = made
        _ = unsafe crypto_scalarmult_ed25519_base_noclamp(&point, scalar)
        _ = unsafe crypto_sign_keypair(&edPublic, &edSecret)
        _ = unsafe crypto_sign_detached(&edSignature, nil, digest, 32, edSecret)
        _ = unsafe secp256k1_ec_pubkey_create(context, &issuer, chainKey)
        _ = unsafe secp256k1_ecdsa_sign_recoverable(context, &ticket, digest, chainKey, nil, nil)
        serialise(&issuer)
    }

    deinit { unsafe secp256k1_context_destroy(context) }

    private func serialise(_ key: inout secp256k1_pubkey) {
        var count = 33
        _ = unsafe secp256k1_ec_pubkey_serialize(
            context,
            &hint,
            &count,
            &key,
            UInt32(SECP256K1_EC_COMPRESSED)
        )
    }

    func packet() -> UInt64 {
        peel()
        money()
        acknowledgements()
        // The draw of the commitment rule.
        hash(64)
        return UInt64(payload[7]) + UInt64(digest[3]) + UInt64(hint[5])
    }

    private func hash(_ count: Int) {
        _ = unsafe crypto_generichash(&digest, count, digest, 64, nil, 0)
    }

    private func multiply() {
        if isPlain {
            _ = unsafe crypto_scalarmult(&next, scalar, point)
        } else {
            _ = unsafe crypto_scalarmult_ed25519_noclamp(&next, scalar, point)
        }
    }

    private func peel() {
        multiply()
        hash(32)
        hash(32)
        multiply()
        for _ in 0..<4 { hash(64) }
        var mac = [UInt8](repeating: 0, count: 16)
        _ = unsafe crypto_onetimeauth_poly1305(&mac, payload, 256, digest)
        _ = unsafe crypto_stream_chacha20_ietf_xor(&payload, payload, 315, nonce, digest)
        for _ in 0..<2 {
            _ = unsafe crypto_generichash(&digest, 32, payload, 1_008, digest, 32)
            _ = unsafe crypto_stream_chacha20_ietf_xor(&payload, payload, 1_008, nonce, digest)
        }
        for _ in 0..<6 { hash(64) }
    }

    private func money() {
        var (share, other, sum) = (secp256k1_pubkey(), secp256k1_pubkey(), secp256k1_pubkey())
        _ = unsafe secp256k1_ec_pubkey_create(context, &share, chainKey)
        _ = unsafe secp256k1_ec_pubkey_parse(context, &other, hint, 33)
        unsafe withUnsafePointer(to: share) { share in
            unsafe withUnsafePointer(to: other) { other in
                let both: [UnsafePointer<secp256k1_pubkey>?] = unsafe [share, other]
                _ = unsafe secp256k1_ec_pubkey_combine(context, &sum, both, 2)
            }
        }
        for _ in 0..<8 { hash(32) }
        var signer = secp256k1_pubkey()
        _ = unsafe secp256k1_ecdsa_recover(context, &signer, &ticket, digest)
        var own = secp256k1_ecdsa_recoverable_signature()
        _ = unsafe secp256k1_ecdsa_sign_recoverable(context, &own, digest, chainKey, nil, nil)
    }

    private func acknowledgements() {
        var signature = [UInt8](repeating: 0, count: 64)
        _ = unsafe crypto_sign_detached(&signature, nil, digest, 32, edSecret)
        _ = unsafe crypto_sign_verify_detached(edSignature, digest, 32, edPublic)
        var found = secp256k1_pubkey()
        _ = unsafe secp256k1_ec_pubkey_create(context, &found, chainKey)
        serialise(&found)
        var response = chainKey
        _ = unsafe secp256k1_ec_seckey_tweak_add(context, &response, chainKey)
    }
}

/// The baselines of `relay.whole`.
func libraryCases() -> [Case] {
    let (edwards, plain) = (LibraryBench(isPlain: false), LibraryBench(isPlain: true))
    return [
        Case("relay.libraries") { edwards.packet() },
        Case("relay.libraries.x25519") { plain.packet() },
    ]
}
