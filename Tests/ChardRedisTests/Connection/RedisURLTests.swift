// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("URLs of Redis servers")
struct RedisURLTests {
    @Test(
        "name host, port and database",
        arguments: [
            ("redis://localhost", "localhost", 6379, 0),
            ("redis://localhost/", "localhost", 6379, 0),
            ("redis://10.0.0.7:7000/3", "10.0.0.7", 7000, 3),
            ("redis://[::1]:7000/3", "::1", 7000, 3),
            ("redis://[fe80::1]", "fe80::1", 6379, 0),
            ("REDIS://localhost?db=5", "localhost", 6379, 5),
            ("redis://localhost/5?db=5", "localhost", 6379, 5),
            ("redis://me:secret@localhost:1/2", "localhost", 1, 2),
        ])
    func address(text: String, host: String, port: Int, database: Int) throws {
        let url = try RedisURL(text)
        #expect(url.address == .tcp(host: host, port: port))
        #expect(url.database == database)
        #expect(url.tls == nil)
    }

    @Test(
        "carry user and password",
        arguments: [
            ("redis://host", nil, nil),
            ("redis://:pass@host", nil, "pass"),
            ("redis://me:pass@host", "me", "pass"),
            ("redis://me@host", "me", nil),
            ("redis://m%40e:p%2F%3A%25@host", "m@e", "p/:%"),
            ("redis://me:a:b@host", "me", "a:b"),
            ("redis://me:a@b@host", "me", "a@b"),
            ("redis://:p%C3%A4ss@host", nil, "päss"),
        ] as [(String, String?, String?)])
    func credentials(text: String, user: String?, password: String?) throws {
        let url = try RedisURL(text)
        #expect(url.user == user)
        #expect(url.password == password)
    }

    @Test("name Unix sockets", arguments: ["redis+unix", "unix", "redis+socket"])
    func unixSocket(scheme: String) throws {
        let url = try RedisURL("\(scheme)://:pass@/run/my%20redis.sock?db=4")
        #expect(url.address == .unix(path: "/run/my redis.sock"))
        #expect(url.database == 4)
        #expect(url.password == "pass")
        #expect(try RedisURL("redis+socket:///run/redis.sock?virtual_host=2").database == 2)
    }

    @Test(
        "name sentinels and the primary",
        arguments: [
            "redis+sentinel://me:secret@h1:26379,h2,[::1]:7/mymaster/3",
            "valkey+sentinel://me:secret@h1,h2:26379,[::1]:7/3?master_name=mymaster",
            "sentinel://me:secret@h1:26379;sentinel://h2;sentinel://[::1]:7/3?master_name=mymaster;",
            "sentinel://me:secret@h1:26379/3;sentinel://me:secret@h2/3;sentinel://[::1]:7/3?master_name=mymaster",
        ])
    func sentinels(text: String) throws {
        let url = try RedisURL(text)
        let sentinels = try #require(url.sentinels)
        #expect(
            sentinels.addresses
                == [.tcp(host: "h1", port: 26379), .tcp(host: "h2", port: 26379), .tcp(host: "::1", port: 7)])
        #expect(sentinels.primary == "mymaster")
        #expect(url.database == 3)
        #expect(url.user == "me" && url.password == "secret")
        #expect(sentinels.user == nil && sentinels.password == nil && sentinels.tls == nil && url.tls == nil)
        #expect(url.description == "redis+sentinel://***@h1:26379,h2:26379,[::1]:7/mymaster/3")
        #expect(try RedisURL(url.description.replacing("***@", with: "")).sentinels == sentinels)
    }

    @Test("give sentinels a user, a password and TLS of their own, and show none of it")
    func sentinelsOwn() throws {
        let url = try RedisURL(
            "rediss+sentinel://h1/a%20b?sentinel_username=whoami&sentinel_password=s3%63ret&sentinel_tls=true"
                + "&ssl_ca_certs=/a.pem")
        let sentinels = try #require(url.sentinels)
        #expect(sentinels.primary == "a b" && url.database == 0 && url.password == nil)
        #expect(sentinels.user == "whoami" && sentinels.password == "s3cret")
        #expect(url.tls == RedisTLS(authorityFile: "/a.pem") && sentinels.tls == url.tls)
        var dumped = ""
        dump(url, to: &dumped)
        dump(sentinels, to: &dumped)
        for shown in ["\(url)", "\(sentinels)", String(reflecting: sentinels), dumped, url.peer] {
            #expect(!shown.contains("s3cret") && !shown.contains("whoami"))
        }
    }

    @Test("may say valkey for redis")
    func valkey() throws {
        #expect(try RedisURL("valkey://:p@host/1") == RedisURL("redis://:p@host/1"))
        #expect(try RedisURL("VALKEYS://host") == RedisURL("rediss://host"))
        #expect(RedisURL.has(scheme: "valkeys") && RedisURL.has(scheme: "sentinel") && !RedisURL.has(scheme: "http"))
    }

    @Test("ask for TLS, and take Celery's parameters of it")
    func tls() throws {
        #expect(try RedisURL("rediss://host").tls == RedisTLS())
        #expect(try RedisURL("rediss://host?ssl_cert_reqs=CERT_NONE").tls == RedisTLS(acceptsAnyCertificate: true))
        #expect(try RedisURL("rediss://host?ssl_cert_reqs=required").tls?.acceptsAnyCertificate == false)
        let full = "rediss://host/1?ssl_ca_certs=%2Fa.pem&ssl_certfile=/b.pem&ssl_keyfile=/c.pem"
        #expect(
            try RedisURL(full).tls
                == RedisTLS(authorityFile: "/a.pem", certificateFile: "/b.pem", keyFile: "/c.pem"))
    }

    @Test(
        "that are wrong say what is wrong, and never a part of the password",
        arguments: [
            ("localhost:6379", "scheme"), ("http://host", "scheme"), ("redis://", "host"), ("redis://:s3cret@", "host"),
            ("redis://host:port", "port"), ("redis://host:0", "port"), ("redis://host:65536", "port"),
            ("redis://::1", "brackets"), ("redis://[::1", "']'"), ("redis://[::1]x", "port"),
            ("redis://host/zero", "database"), ("redis://host/-1", "database"), ("redis://host/1?db=2", "database"),
            ("redis://host/1/2", "database"), ("redis://me:s3cret/x@host", "%2F"), ("redis://me:12/s3cret@host", "%2F"),
            ("redis://me:s3cret?x@host", "%3F"), ("redis://me:s3cret#x@host", "%23"),
            ("redis://me:s3cret%zz@host", "%25"),
            ("redis://me:s3cret%4@host", "hexadecimal"), ("redis://me:s3cret%FF@host", "UTF-8"),
            ("redis://host?timeout=3", "timeout"), ("redis://host?ssl_ca_certs=/x", "ssl_ca_certs"),
            ("rediss://host?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
            ("redis+unix://run/redis.sock", "three slashes"), ("redis+unix:///", "path"), ("unix://", "path"),
            ("unix:///" + String(repeating: "x", count: 103), "103 bytes"),
            ("redis+sentinel://h1,h2", "which primary"), ("redis+sentinel://h1,h2/", "which primary"),
            ("sentinel://h1;sentinel://h2/0", "which primary"), ("redis+sentinel://h1,/m", "host"),
            ("redis+sentinel://h1:x/m", "port"), ("redis+sentinel://h1/m/one", "database"),
            ("redis+sentinel://h1/m/0?master_name=m", "database"),
            ("sentinel://h1;redis://h2?master_name=m", "sentinel://"),
            ("sentinel://:s3cret@h1;sentinel://:other@h2?master_name=m", "differ"),
            ("redis+sentinel://h1/m?sentinel_tls=true", "rediss+sentinel"),
            ("rediss+sentinel://h1/m?sentinel_tls=s3cret", "sentinel_tls"),
            ("redis+sentinel://h1/m?ssl_ca_certs=/x", "ssl_ca_certs"), ("redis://h1?master_name=m", "master_name"),
        ])
    func wrong(text: String, clue: String) throws {
        let error = try #require(throws: RedisError.self) { try RedisURL(text) }
        #expect(error.code == .badURL)
        #expect(error.message.contains(clue))
        #expect(error.message.contains("redis://user:password@host:6379/0"))
        #expect(!error.description.contains("s3cret"))
        #expect(!error.isRetryable)
    }

    @Test(
        "hide user and password from every description",
        arguments: ["redis://whoami:s3cret@host:7000/1", "rediss://:s3cret@host", "redis+unix://:s3cret@/a.sock?db=1"])
    func redacted(text: String) throws {
        let url = try RedisURL(text)
        var dumped = ""
        dump(url, to: &dumped)
        for shown in [
            "\(url)", String(reflecting: url), dumped, "\([url])", "\(Mirror(reflecting: url).children.map { $0 })",
        ] {
            #expect(!shown.contains("s3cret") && !shown.contains("whoami"))
            #expect(shown.contains("***@"))
        }
    }

    @Test("describe themselves as they may be written")
    func description() throws {
        #expect(try RedisURL("redis://u:p@[::1]:7000/1").description == "redis://***@[::1]:7000/1")
        #expect(try RedisURL("rediss://host").description == "rediss://host:6379/0")
        #expect(try RedisURL("unix:///a.sock").description == "redis+unix:///a.sock?db=0")
    }
}
