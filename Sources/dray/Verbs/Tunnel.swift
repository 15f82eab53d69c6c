import Node

extension Verb {
    static let tunnel = Verb(
        name: "tunnel",
        summary: "",
        example: "dray tunnel",
        run: { _ throws(Failure) in throw .failed("not yet") }
    )
}
