public import Bytes

extension Secp256k1 {
    /// The address of a point: last 20 bytes of Keccak-256(x ‖ y).
    @_noLocks
    public func address(of point: CurvePoint, into address: inout Address) -> Bool { fatalError() }
}
