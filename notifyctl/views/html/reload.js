(() => {
  let known = null;
  const ask = async () => {
    try {
      const version = await (await fetch("/version")).text();
      if (known !== null && version !== known) location.reload();
      known = version;
    } catch { /* the server has ended; it may come back */ }
  };
  setInterval(ask, 1000);
  ask();
})();
