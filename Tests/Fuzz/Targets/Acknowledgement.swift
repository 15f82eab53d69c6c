import Bytes
import Crypto
import Tickets

/// The text of an acknowledgement packet: signer, text.
func fuzzAcknowledgement(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let signer = Bytes32(input.bytes(32)) ?? Bytes32()
    var text = Array(input.rest.prefix(4_096))
    guard !text.isEmpty else { return }
    text.withRegion { text in
        guard let found = Acknowledgements.parse(text) else { return }
        precondition(Acknowledgements.textBytes(count: found.count) <= text.byteCount)
        let lanes = LaneMask.first(min(found.count, 64))
        let memory = Memory(64 * Bytes32.count)
        let signers: Column<Bytes32> = memory.region.column(0, count: 64)
        for lane in 0..<64 { signers[lane] = signer }
        let good = Acknowledgements.verifyVariableTime(
            found,
            signers: signers,
            tables: .none,
            lanes: lanes
        )
        precondition(good & ~lanes == 0)
    }
}
