import Bytes
import Sphinx

/// A packet.
func fuzzPacket(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let geometry = fuzzGeometry(&input)
    _ = geometry
}
