import Bytes
import Crypto
import Tickets

/// The text of an acknowledgement packet: signer, text.
func fuzzAcknowledgement(_ input: [UInt8]) {
    var input = FuzzInput(input)
    var signer = Bytes32(input.bytes(32)) ?? Bytes32()
    var text = Array(input.rest.prefix(4_096))
    guard !text.isEmpty else { return }
    text.withRegion { text in
        guard let found = Acknowledgements.parse(text) else { return }
        precondition(Acknowledgements.textBytes(count: found.count) <= text.byteCount)
        let lanes = LaneMask.first(min(found.count, 64))
        let good = signer.withRegion { signer in
            Acknowledgements.verifyVariableTime(found, signer: signer, lanes: lanes)
        }
        precondition(good & ~lanes == 0)
    }
}
