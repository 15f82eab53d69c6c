import Bytes
import Crypto
import Tickets

/// A ticket and a VRF proof: 132 bytes, 225 bytes. What parses is written back as it was, and a
/// signature that nobody made belongs to nobody in particular.
func fuzzTicket(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let bytes = input.bytes(Ticket.byteCount)
    let proofBytes = input.bytes(VRFProof.byteCount)
    guard let ticket = Ticket(bytes) else { return }
    precondition(ticket.bytes.array == bytes, "a ticket changed on its way")
    precondition(ticket.amount < Ticket.amountLimit && ticket.index < Ticket.indexLimit)

    let hash = Hash.keccak256(bytes)
    let signer = Secp256k1.signer(hash: hash, signature: ticket.signature)
    // Recovering is a function: the same words give the same signer.
    precondition(Secp256k1.signer(hash: hash, signature: ticket.signature) == signer)
    guard let proof = VRFProof(proofBytes) else { fatalError("225 bytes are a proof") }
    precondition(proof.bytes == proofBytes)
    _ = proof.verify(redeemer: ticket.counterparty, hash: hash, domain: Bytes32())
}
