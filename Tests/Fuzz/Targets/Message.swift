import Bytes
import Sphinx

/// A decrypted payload block: profile, then the block. What the padding and the message parser
/// point at must lie inside the block.
func fuzzMessage(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let geometry = fuzzGeometry(&input)
    var block = input.bytes(geometry.payloadBytes)
    if case .success(let parts) = Message.unpack(block, geometry: geometry) {
        guard let signal = Signal(rawValue: parts.signal) else { fatalError("no signal") }
        let written = Message.encode(signal: signal, surbs: parts.surbs, text: parts.text)
        precondition(block.suffix(written.count).elementsEqual(written), "a message changed")
    }
    block.withRegion { block in
        let found = Padding.find(block)
        precondition(found.dataOffset >= 0 && found.dataOffset <= block.byteCount)
        guard found.marked else { return }
        let data = block.slice(found.dataOffset, block.byteCount - found.dataOffset)
        guard let message = Message.parse(data, geometry: geometry) else { return }
        precondition(message.signal <= 3 && message.surbCount <= Geometry.surbsMax)
        precondition(message.textOffset == 1 + message.surbCount * geometry.surbBytes)
        precondition(message.textOffset <= data.byteCount)
    }
}

/// The profile that the first byte names.
func fuzzGeometry(_ input: inout FuzzInput) -> Geometry {
    switch input.byte() % 3 {
    case 0: .head
    case 1: .v4
    default: .mix13
    }
}
