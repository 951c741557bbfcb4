//! HTTP/1.1 over one connection, as little of it as measuring needs.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The password of the superuser on every server that is started here.
pub(crate) const PASSWORD: &str = "a-password-for-checks";

/// `authorization` of the superuser.
pub(crate) fn authorization() -> String {
    let both = base64::engine::general_purpose::STANDARD.encode(format!("elastic:{PASSWORD}"));
    format!("Basic {both}")
}

/// The bytes of a request of the superuser.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\nkbn-xsrf: true\r\n",
        authorization()
    );
    if let Some(body) = body.map(Value::to_string) {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    } else {
        text += "\r\n";
    }
    text.into_bytes()
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("answer {}: {}", self.status, self.text()))
    }

    /// Fails unless it has this status.
    pub(crate) fn want(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!("answer {} where {status} was wanted: {}", self.status, self.text());
        }
        Ok(self)
    }
}

/// One connection that is kept.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), line: String::new() })
    }

    /// Sends a request of the superuser and reads the answer.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        let mut reply = Reply::default();
        let mut headers = Vec::new();
        reply.status = self.exchange(&request(method, path, body), &mut reply.body, |name, value| {
            headers.push((name.to_lowercase(), value.to_owned()));
        })?;
        reply.headers = headers;
        Ok(reply)
    }

    /// Sends these bytes; the answer's status, and its body in `body`.
    pub(crate) fn exchange(
        &mut self,
        request: &[u8],
        body: &mut Vec<u8>,
        mut header: impl FnMut(&str, &str),
    ) -> Result<u16> {
        self.stream.get_mut().write_all(request)?;
        let status = self.read_line()?.split(' ').nth(1).and_then(|text| text.parse().ok());
        let (mut length, mut chunked) = (0, false);
        while let Some((name, value)) = self.read_line()?.split_once(':') {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().map_err(|_| wrong("content-length"))?;
            }
            chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked";
            header(name, value);
        }
        body.clear();
        if chunked {
            self.read_chunks(body)?;
        } else {
            self.read_bytes(body, length)?;
        }
        status.ok_or_else(|| wrong("status"))
    }

    fn read_line(&mut self) -> Result<&str> {
        self.line.clear();
        if self.stream.read_line(&mut self.line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(self.line.trim_end())
    }

    fn read_bytes(&mut self, body: &mut Vec<u8>, length: usize) -> Result<()> {
        let from = body.len();
        body.resize(from + length, 0);
        self.stream.read_exact(&mut body[from..])
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let length = usize::from_str_radix(self.read_line()?, 16).map_err(|_| wrong("chunk"))?;
            self.read_bytes(body, length)?;
            self.read_line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the answer's {what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answering(bytes: &'static [u8]) -> Reply {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(bytes).unwrap();
        });
        let reply = Connection::open(address).unwrap().send("GET", "/", None).unwrap();
        server.join().unwrap();
        reply
    }

    #[test]
    fn answers_are_read_whole_by_length_and_in_chunks() {
        let reply = answering(b"HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!((reply.status, reply.text().as_str()), (404, "abc"));
        assert_eq!(reply.headers[0], ("a".to_owned(), "b".to_owned()));
        let reply = answering(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
        );
        assert_eq!((reply.status, reply.text().as_str()), (200, "abcd"));
        assert_eq!(answering(b"HTTP/1.1 204 No Content\r\n\r\n").text(), "");
    }
}
