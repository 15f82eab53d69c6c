import JSON

/// The text of a vector file.
func fuzzVectorFile(_ input: [UInt8]) {
    guard let value = try? JSON.parse(input) else { return }
    // What was read is written so that it reads the same.
    let again = try? JSON.parse(value.description)
    precondition(again?.description == value.description)
}
