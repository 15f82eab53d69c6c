import JSON
import TestSupport
import Testing

@Test func `values are read and written back`() throws {
    let text = #"{"a":[1,-2.5,true,false,null,"x\"\\\n\u0001é"],"b":{}}"#
    let value = try JSON.parse(text)
    #expect(value.description == text)
    #expect(value["a"]?[1]?.double == -2.5)
    #expect(value["a"]?[0]?.integer == 1)
    #expect(value["c"] == nil)
    #expect(try JSON.parse(#""\ud83d\ude00""#).text == "😀")
}

@Test(
    arguments: [
        "", "{", "[1,]", "{\"a\"}", "tru", "01", "1.", "1e", "+1", "\"", "\"\\u12\"", "\"\\ud800\"",
        "[1] 2", "\"\u{1}\"", "nul", "{a:1}", "{\"a\":1,\"a\":2}", "18446744073709551616",
        "\"\\u0000\"", "\"\\q\"", "-",
    ])
func `garbage is an error with a place`(text: String) {
    #expect(throws: JSONError.self) { try JSON.parse(text) }
}

@Test func `deep nesting is refused`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSON.parse(deep) }
}

@Test func `random bytes never trap`() {
    var random = SeededGenerator("json bytes")
    let alphabet = Array("{}[]\",:\\u0123456789eE+-.tfn aé".utf8)
    for _ in 0..<2_000 {
        let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
        }
        _ = try? JSON.parse(bytes)
    }
}
